// What attached workers have proven of themselves, and for how long it holds.
#include <spdlog/spdlog.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "services/dispatch/dispatcher_state.h"
#include "services/rpc/proto_time.h"

namespace assay::dispatch {
namespace {

// Times in events and traces are the worker's; beyond this, people notice.
constexpr std::chrono::seconds kMaxSkew{2};

struct Version {
  int major = 0;
  int minor = 0;
};

// "1.4.2"; absent for what developers build.
std::optional<Version> ParseVersion(const std::string& text) {
  Version version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.')
    return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc()) return std::nullopt;
  return version;
}

}  // namespace

Status Dispatcher::State::Prove(const Attachment& attachment,
                                const Attach::Hello& hello) const {
  const WorkerProof& proof = attachment.proof;
  if (proof.certified() && !hello.name().empty() && hello.name() != proof.name)
    return Fail(Code::kPermissionDenied,
                "this worker's certificate is for the name ", proof.name,
                ", and it calls itself ", hello.name(),
                ": leave --name out, or enrol it by that name");
  // Ids of certified workers begin with their name and a slash.
  if (hello.worker_id().find('/') != std::string::npos)
    return InvalidArgument("hello's worker_id has a slash in it");
  const auto theirs = ParseVersion(hello.version());
  const auto ours = ParseVersion(options.version);
  if (theirs && ours &&
      (theirs->major != ours->major ||
       std::abs(theirs->minor - ours->minor) > 1))
    return FailedPrecondition(
        "this worker is version ", hello.version(),
        " and the coordinator is version ", options.version,
        ", which works with its own and the minor versions beside it: install "
        "the coordinator's version");
  return {};
}

WorkerId Dispatcher::State::IdOf(const Attachment& attachment,
                                 const Attach::Hello& hello) {
  const std::string& name = attachment.proof.name;
  return WorkerId(name.empty() ? hello.worker_id()
                               : name + "/" + hello.worker_id());
}

boost::asio::awaitable<bool> Dispatcher::State::StillGood(
    Self self, std::uint64_t session) {
  const Attachment* attachment = self->roster.Find(session);
  if (attachment == nullptr) co_return false;
  if (!attachment->proof.certified() || !self->options.certificates.check)
    co_return true;
  const std::string name = attachment->name;
  const auto good =
      co_await self->options.certificates.check(attachment->proof.fingerprint);
  if (good || good.error().code == Code::kUnavailable) co_return true;
  co_await Expel(self, name, good.error());
  co_return false;
}

boost::asio::awaitable<void> Dispatcher::State::Expel(Self self,
                                                      std::string name,
                                                      Error why) {
  std::vector<std::uint64_t> sessions;
  std::vector<WorkerId> processes;
  for (const auto& [id, attachment] : self->roster.attachments()) {
    if (attachment.proof.name != name) continue;
    sessions.push_back(id);
    processes.push_back(attachment.worker);
  }
  // First of all it gets nothing more and is heard no more.
  for (const std::uint64_t session : sessions) {
    const auto link = self->roster.Find(session)->link;
    self->roster.Close(session);
    link->Close(why);
  }
  if (!sessions.empty())
    spdlog::warn("worker {} is sent away: {}", name, why.message);
  for (const WorkerId& worker : processes)
    co_await TakeBack(self, worker, "its worker was sent away");
}

boost::asio::awaitable<void> Dispatcher::State::Renew(Self self,
                                                      std::uint64_t session,
                                                      Attach::Renew renew) {
  const Attachment* attachment = self->roster.Find(session);
  if (attachment == nullptr) co_return;
  runner::v1::AttachResponse response;
  auto& answer = *response.mutable_certificate();
  if (!attachment->proof.certified() || !self->options.certificates.renew) {
    answer.set_error("only a worker with a certificate can renew it");
    co_return self->SendTo(session, std::move(response));
  }
  auto renewed = co_await self->options.certificates.renew(
      attachment->proof.fingerprint, renew.certificate_request());
  Attachment* now = self->roster.Find(session);
  if (now == nullptr) co_return;
  if (renewed) {
    now->proof = std::move(renewed->proof);
    answer.set_pem(std::move(renewed->pem));
    spdlog::info("worker {} has a new certificate", now->name);
  } else {
    answer.set_error(renewed.error().message);
  }
  self->SendTo(session, std::move(response));
}

void Dispatcher::State::TakeClock(std::uint64_t session,
                                  const Attach::Heartbeat& heartbeat) {
  Attachment* attachment = roster.Find(session);
  if (attachment == nullptr || !heartbeat.has_clock_ahead() ||
      !rpc::InRange(heartbeat.clock_ahead()))
    return;
  const auto ahead = rpc::FromProto(heartbeat.clock_ahead());
  const bool off = std::chrono::abs(ahead) > kMaxSkew;
  if (off && attachment->clock_ahead.count() == 0)
    spdlog::warn(
        "worker {}: its clock is {:.1f} s {} ours, and so are the times of "
        "what it reports: have both set by NTP",
        attachment->name,
        std::abs(std::chrono::duration<double>(ahead).count()),
        ahead.count() > 0 ? "ahead of" : "behind");
  attachment->clock_ahead = off ? ahead : std::chrono::microseconds(0);
}

}  // namespace assay::dispatch
