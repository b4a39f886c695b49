#include "runner/worker/worker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "proto/base/clock.h"
#include "proto/base/fault_point.h"
#include "proto/base/id.h"
#include "proto/base/tls_finding.h"
#include "runner/worker/content_cache.h"
#include "runner/worker/fetcher.h"
#include "runner/worker/identity.h"
#include "runner/worker/lease_connection.h"
#include "runner/worker/leased_run.h"

namespace assay::worker {
namespace {

namespace asio = boost::asio;
using runner::v1::AttachRequest;
using runner::v1::AttachResponse;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kCacheBytes = std::int64_t{2} << 30;
constexpr milliseconds kFirstRetry{100};
constexpr milliseconds kLastRetry{5'000};
// A connection that answers so many heartbeats with silence is dead.
constexpr int kSilentBeats = 4;
// For the last messages to leave.
constexpr std::chrono::seconds kGoodbye{2};
// Between two rounds through a list of coordinators that say they are drained.
constexpr std::chrono::seconds kMoveApart{20};
// How long a run's events wait for more, so that a run that is over soon is
// reported in one piece, which costs the coordinator one commit. Far below what
// whoever watches a log notices.
constexpr milliseconds kGather{100};
// Pushes come in bursts; a worker that has nothing to do holds nothing ready.
constexpr std::chrono::seconds kAheadFor{60};

Expected<std::string> ReadToken(const std::string& file) {
  std::ifstream in(file);
  std::string token;
  if (!(in >> token))
    return NotFound("the token file ", file, " cannot be read or is empty");
  return token;
}

void SetDuration(std::chrono::microseconds from,
                 google::protobuf::Duration& to) {
  to.set_seconds(from.count() / 1'000'000);
  to.set_nanos(static_cast<std::int32_t>(from.count() % 1'000'000 * 1'000));
}

// Who this worker is over TLS, and who it trusts.
struct Credentials {
  Identity identity;
  std::string authorities;

  LeaseConnection::Tls tls() const {
    return {.authorities = authorities,
            .key = identity.key_pem,
            .certificate = identity.certificate_pem};
  }
};

class LeaseWorker final : public Worker {
 public:
  LeaseWorker(asio::any_io_executor executor, Workshop& workshop,
              WorkerOptions options, Events events, ContentCache cache,
              std::optional<Credentials> credentials)
      : executor_(executor),
        workshop_(workshop),
        options_(std::move(options)),
        events_(std::move(events)),
        id_(WorkerId::Random()),
        pool_(2),
        credentials_(std::move(credentials)),
        fetcher_(executor, std::move(cache),
                 [this](AttachRequest request) { Send(std::move(request)); }),
        retry_timer_(executor),
        beat_timer_(executor),
        end_timer_(executor),
        ahead_timer_(executor),
        gather_timer_(executor),
        connection_(
            executor, options_.coordinator,
            {.on_message = [this](AttachResponse r) { OnMessage(r); },
             .on_closed = [this](Error e) { OnClosed(e); }},
            credentials_ ? std::optional(credentials_->tls()) : std::nullopt) {}
  ~LeaseWorker() override {
    alive_.reset();
    for (const auto& [name, run] : runs_) run->Abort();
    fetcher_.Stop();
    pool_.join();
  }

  void Start() override { Attach(); }
  void Drain() override;
  void Stop() override { HandEverythingBack("the worker is stopping", false); }
  void Fail(Error error) override {
    end_ = std::unexpected(error);
    HandEverythingBack(error.message, true);
  }

 private:
  using RunPointer = std::shared_ptr<LeasedRun>;

  void Attach();
  void OnClosed(const Error& error);
  std::string NameCause(const Error& error);
  void OnMessage(AttachResponse& response);
  void OnWelcome(const AttachResponse::Welcome& welcome);
  void OnLease(AttachResponse::Lease lease);
  void OnRevoke(const AttachResponse::Revoke& revoke);
  void OnDrain(const AttachResponse::Drain& drain);
  void Send(AttachRequest request) {
    if (attached_) connection_.Send(std::move(request));
  }
  void TakeClock(const AttachResponse::Welcome& welcome);
  void RenewWhenDue();
  void OnCertificate(const AttachResponse::Certificate& certificate);
  void Beat();
  void Demand();
  // Sends what waits, now or soon.
  void Report(LeasedRun& run);
  void ReportAll();
  void Pump(LeasedRun& run);
  void SendReturn(const LeasedRun& run);
  void After(asio::steady_timer& timer, milliseconds wait,
             void (LeaseWorker::*what)());
  static asio::awaitable<void> Carry(LeaseWorker* self,
                                     std::weak_ptr<bool> alive, RunPointer run);
  void HandBack(const RunPointer& run, std::string reason, bool fault);
  void HandEverythingBack(const std::string& reason, bool fault);
  void Forget(const std::string& run);
  // After a run, if nothing else runs.
  void PrepareAhead();
  void DropAhead();
  void EndIfIdle();
  void End();
  RunPointer Find(const std::string& run, std::uint64_t epoch) const;
  int Active() const;

  const asio::any_io_executor executor_;
  Workshop& workshop_;
  const WorkerOptions options_;
  const Events events_;
  const WorkerId id_;
  asio::thread_pool pool_;
  std::optional<Credentials> credentials_;
  // Asked for, until it is answered or the stream ends.
  std::optional<KeyRequest> renewal_;
  std::chrono::microseconds clock_ahead_{0};
  Fetcher fetcher_;
  std::map<std::string, RunPointer> runs_;
  asio::steady_timer retry_timer_;
  asio::steady_timer beat_timer_;
  asio::steady_timer end_timer_;
  asio::steady_timer ahead_timer_;
  asio::steady_timer gather_timer_;
  bool gathering_ = false;
  milliseconds retry_ = kFirstRetry;
  milliseconds beat_interval_{2'000};
  steady_clock::time_point heard_;
  // Since when it goes from drained coordinator to coordinator, and how often.
  steady_clock::time_point moved_since_;
  std::size_t moves_ = 0;
  bool moving_ = false;    // the stream is being left for another coordinator
  bool attached_ = false;  // welcomed on the current stream
  bool ready_ = false;     // welcomed ever
  bool draining_ = false;
  bool ending_ = false;
  bool ended_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Status end_;
  LeaseConnection connection_;
};

void LeaseWorker::After(asio::steady_timer& timer, milliseconds wait,
                        void (LeaseWorker::*what)()) {
  timer.expires_after(wait);
  // A handler that was queued already is not cancelled with its timer.
  timer.async_wait([this, alive = std::weak_ptr<bool>(alive_),
                    what](boost::system::error_code cancelled) {
    if (!cancelled && !alive.expired()) (this->*what)();
  });
}

void LeaseWorker::Attach() {
  if (ending_) return;
  const Expected<std::string> token =
      credentials_ ? std::string() : ReadToken(options_.token_file);
  if (!token) return OnClosed(token.error());
  connection_.Attach(*token);
  AttachRequest request;
  auto& hello = *request.mutable_hello();
  hello.set_worker_id(id_.str());
  hello.set_name(options_.name);
  hello.set_version(options_.version);
  hello.set_slots(options_.slots);
  hello.set_cores(options_.cores);
  hello.set_memory_bytes(options_.memory_bytes);
  hello.set_pool(options_.pool);
  hello.mutable_labels()->insert(options_.labels.begin(),
                                 options_.labels.end());
  hello.set_unfit(options_.unfit);
  for (const auto& [name, run] : runs_) {
    hello.add_held()->set_run(run->run());
    hello.mutable_held()->rbegin()->set_epoch(run->epoch());
  }
  connection_.Send(std::move(request));
}

void LeaseWorker::OnClosed(const Error& error) {
  attached_ = false;
  renewal_.reset();
  beat_timer_.cancel();
  if (ending_) return End();
  if (std::exchange(moving_, false))
    return After(retry_timer_, milliseconds(0), &LeaseWorker::Attach);
  const bool refused = error.code == Code::kUnauthenticated ||
                       error.code == Code::kPermissionDenied ||
                       error.code == Code::kInvalidArgument ||
                       error.code == Code::kFailedPrecondition ||
                       error.code == Code::kNotFound;
  if (credentials_ && error.code == Code::kPermissionDenied && ready_) {
    // Revoked: what it holds is others' by now.
    for (const auto& [name, run] : runs_) run->Abort();
    runs_.clear();
  }
  if (refused &&
      (!ready_ || (credentials_ && error.code == Code::kPermissionDenied))) {
    // A mistake of whoever started us: waiting does not mend it.
    end_ = std::unexpected(
        error.Within("cannot attach to " + options_.coordinator));
    return End();
  }
  // Workers that were cut off together must not come back together.
  std::uniform_real_distribution<double> spread(0.75, 1.25);
  std::random_device random;
  const auto wait =
      std::chrono::duration_cast<milliseconds>(retry_ * spread(random));
  spdlog::warn("not attached to {}: {}; trying again in {} ms",
               connection_.address(), NameCause(error), wait.count());
  retry_ = std::min(2 * retry_, kLastRetry);
  After(retry_timer_, wait, &LeaseWorker::Attach);
}

void LeaseWorker::OnMessage(AttachResponse& response) {
  heard_ = steady_clock::now();
  switch (response.message_case()) {
    case AttachResponse::kWelcome:
      return OnWelcome(response.welcome());
    case AttachResponse::kLease:
      return OnLease(std::move(*response.mutable_lease()));
    case AttachResponse::kChunk:
      return fetcher_.OnChunk(response.chunk());
    case AttachResponse::kAck: {
      const auto run = Find(response.ack().run(), response.ack().epoch());
      if (run == nullptr) return;
      run->Acknowledge(response.ack().next_offset());
      ReachFaultPoint("worker.acknowledged");
      if (run->outbox().Done()) return Forget(run->run());
      return Report(*run);
    }
    case AttachResponse::kRevoke:
      return OnRevoke(response.revoke());
    case AttachResponse::kDrain:
      return OnDrain(response.drain());
    case AttachResponse::kStanding:
      if (response.standing().held_back().empty())
        spdlog::info("this worker gets runs again");
      else
        spdlog::warn(
            "this worker gets no runs: {}; `assay worker resume {}` undoes it",
            response.standing().held_back(),
            options_.name.empty() ? id_.str() : options_.name);
      return;
    case AttachResponse::kCertificate:
      return OnCertificate(response.certificate());
    case AttachResponse::kAlive:
    case AttachResponse::MESSAGE_NOT_SET:
      return;
  }
}

// gRPC says of a failed handshake that there is no connection.
std::string LeaseWorker::NameCause(const Error& error) {
  if (error.code != Code::kUnavailable) return error.message;
  const std::string& address = connection_.address();
  const TlsFinding found = LookAtTls(address, options_.ca_file, 2);
  if (credentials_) {
    if (found.kind == TlsFinding::Kind::kPlainText)
      return address +
             " speaks no TLS: give the coordinator --tls-cert and --tls-key";
    return found.problem.empty() ? error.message : found.problem;
  }
  const bool tls = found.kind == TlsFinding::Kind::kGood ||
                   found.kind == TlsFinding::Kind::kBad;
  return tls ? address +
                   " speaks TLS: enrol this worker with `assay worker enrol "
                   "NAME` and --enrol TOKEN"
             : error.message;
}

void LeaseWorker::TakeClock(const AttachResponse::Welcome& welcome) {
  if (!welcome.has_send_time()) return;
  constexpr std::chrono::seconds kMaxSkew{2};
  const auto theirs = Clock::TimePoint(
      std::chrono::microseconds(welcome.send_time().seconds() * 1'000'000 +
                                welcome.send_time().nanos() / 1'000));
  clock_ahead_ = std::chrono::duration_cast<std::chrono::microseconds>(
      SystemClock().Now() - theirs);
  if (std::chrono::abs(clock_ahead_) <= kMaxSkew) return;
  spdlog::warn(
      "this machine's clock is {:.1f} s {} the coordinator's, and so are the "
      "times of what it reports: have both set by NTP",
      std::abs(std::chrono::duration<double>(clock_ahead_).count()),
      clock_ahead_.count() > 0 ? "ahead of" : "behind");
}

void LeaseWorker::RenewWhenDue() {
  if (!credentials_ || renewal_ ||
      SystemClock().Now() < credentials_->identity.renew_time())
    return;
  Expected<KeyRequest> made = MakeKeyRequest();
  if (!made) return spdlog::error("no new key: {}", made.error().message);
  renewal_ = *std::move(made);
  AttachRequest request;
  request.mutable_renew()->set_certificate_request(renewal_->request_pem);
  Send(std::move(request));
}

void LeaseWorker::OnCertificate(
    const AttachResponse::Certificate& certificate) {
  if (!credentials_ || !renewal_) return;
  const KeyRequest asked = *std::exchange(renewal_, std::nullopt);
  Expected<Identity> renewed =
      certificate.error().empty()
          ? JoinIdentity(asked.key_pem, certificate.pem())
          : Unavailable(certificate.error());
  Status kept;
  if (renewed) kept = SaveIdentity(options_.identity_file, *renewed);
  if (!renewed || !kept) {
    // The next heartbeat tries again.
    spdlog::error("the certificate could not be renewed: {}",
                  renewed ? kept.error().message : renewed.error().message);
    return;
  }
  credentials_->identity = *std::move(renewed);
  connection_.Use(credentials_->tls());
  spdlog::info("the certificate was renewed");
}

void LeaseWorker::OnWelcome(const AttachResponse::Welcome& welcome) {
  attached_ = true;
  retry_ = kFirstRetry;
  TakeClock(welcome);
  const auto& interval = welcome.heartbeat_interval();
  beat_interval_ = std::max(
      milliseconds(interval.seconds() * 1'000 + interval.nanos() / 1'000'000),
      milliseconds(10));
  spdlog::info("attached to {} as {}", options_.coordinator, id_.str());
  for (const auto& [name, run] : runs_) {
    run->outbox().Rewind();
    Pump(*run);
    if (run->returned) SendReturn(*run);
  }
  fetcher_.Resume();
  Demand();
  Beat();
  if (!std::exchange(ready_, true) && events_.on_ready) events_.on_ready();
}

void LeaseWorker::Beat() {
  if (!attached_) return;
  if (steady_clock::now() - heard_ > kSilentBeats * beat_interval_) {
    spdlog::warn("the coordinator is silent; attaching again");
    connection_.Cancel();
    return;
  }
  RenewWhenDue();
  AttachRequest request;
  auto& beat = *request.mutable_heartbeat();
  SetDuration(clock_ahead_, *beat.mutable_clock_ahead());
  for (const auto& [name, run] : runs_) {
    // What is being handed back is no longer ours to renew.
    if (run->returned) continue;
    beat.add_held()->set_run(run->run());
    beat.mutable_held()->rbegin()->set_epoch(run->epoch());
  }
  if (beat.held_size() > 0) ReachFaultPoint("worker.beating");
  Send(std::move(request));
  for (const auto& [name, run] : runs_) {
    run->outbox().Beat();
    Report(*run);
  }
  After(beat_timer_, beat_interval_, &LeaseWorker::Beat);
}

int LeaseWorker::Active() const {
  return static_cast<int>(std::ranges::count_if(
      runs_, [](const auto& entry) { return !entry.second->returned; }));
}

void LeaseWorker::Demand() {
  AttachRequest request;
  const bool takes_more = !draining_ && !ending_;
  request.mutable_demand()->set_count(
      takes_more ? std::max(0, options_.slots - Active()) : 0);
  Send(std::move(request));
}

void LeaseWorker::OnLease(AttachResponse::Lease lease) {
  const std::string name = lease.run();
  if (const auto known = runs_.find(name); known != runs_.end()) {
    // A newer epoch of a run that we still have: the old one is lost.
    if (known->second->epoch() >= lease.epoch()) return;
    known->second->Abort();
    Forget(name);
  }
  const RunTools tools{.executor = executor_,
                       .pool = pool_.get_executor(),
                       .workshop = &workshop_,
                       .fetcher = &fetcher_,
                       .run_program = options_.run_program};
  auto run = std::make_shared<LeasedRun>(
      tools, std::move(lease),
      [this, alive = std::weak_ptr<bool>(alive_), name] {
        if (alive.expired()) return;
        if (const auto it = runs_.find(name); it != runs_.end())
          Report(*it->second);
      });
  const bool too_many = draining_ || ending_ || Active() >= options_.slots;
  runs_.emplace(name, run);
  if (too_many) return HandBack(run, "the worker has no room", false);
  spdlog::info("run {} taken (epoch {})", name, run->epoch());
  ReachFaultPoint("worker.leased");
  asio::co_spawn(executor_, Carry(this, alive_, std::move(run)),
                 [](std::exception_ptr bug) {
                   if (bug) std::rethrow_exception(bug);
                 });
}

asio::awaitable<void> LeaseWorker::Carry(LeaseWorker* self,
                                         std::weak_ptr<bool> alive,
                                         RunPointer run) {
  const Status executed = co_await LeasedRun::Execute(run);
  if (alive.expired()) co_return;
  if (executed) {
    spdlog::info("run {} executed (epoch {})", run->run(), run->epoch());
  } else if (executed.error().code != Code::kCancelled) {
    self->HandBack(run, executed.error().message, true);
  }
}

void LeaseWorker::Report(LeasedRun& run) {
  if (run.outbox().Urgent()) return Pump(run);
  if (!run.outbox().Waits()) return;
  if (std::exchange(gathering_, true)) return;
  After(gather_timer_, kGather, &LeaseWorker::ReportAll);
}

void LeaseWorker::ReportAll() {
  gathering_ = false;
  for (const auto& [name, run] : runs_) Pump(*run);
}

void LeaseWorker::Pump(LeasedRun& run) {
  // Without a stream the outbox only fills.
  if (!attached_ || run.returned) return;
  while (auto report = run.outbox().Next()) {
    AttachRequest request;
    *request.mutable_report() = *std::move(report);
    for (otlp::v1::Span& span : run.TakeSpans())
      *request.mutable_report()->add_spans() = std::move(span);
    ReachFaultPoint("worker.reporting");
    Send(std::move(request));
  }
}

void LeaseWorker::OnRevoke(const AttachResponse::Revoke& revoke) {
  const RunPointer run = Find(revoke.run(), revoke.epoch());
  if (run == nullptr) return;
  if (!run->returned)
    spdlog::warn("run {} was revoked: {}", revoke.run(), revoke.reason());
  run->Abort();
  Forget(revoke.run());
}

// What it holds it names at the next one, as after a broken stream. Whoever
// comes back to a drained one because no other answered stays for a while.
void LeaseWorker::OnDrain(const AttachResponse::Drain& drain) {
  spdlog::info("the coordinator at {} drains", connection_.address());
  if (!drain.elsewhere() || draining_ || ending_ || moving_) return;
  const auto now = steady_clock::now();
  if (now - moved_since_ > kMoveApart) {
    moved_since_ = now;
    moves_ = 0;
  }
  if (moves_ + 1 >= connection_.addresses().size()) return;
  ++moves_;
  spdlog::info("going to the next coordinator");
  moving_ = true;
  attached_ = false;
  beat_timer_.cancel();
  connection_.Cancel();
}

void LeaseWorker::HandBack(const RunPointer& run, std::string reason,
                           bool fault) {
  if (run->returned) return;
  spdlog::warn("run {} is handed back: {}", run->run(), reason);
  run->returned = LeasedRun::Return{std::move(reason), fault};
  run->Abort();
  SendReturn(*run);
  Demand();
}

void LeaseWorker::SendReturn(const LeasedRun& run) {
  AttachRequest request;
  auto& back = *request.mutable_hand_back();
  back.set_run(run.run());
  back.set_epoch(run.epoch());
  back.set_reason(run.returned->reason);
  back.set_fault(run.returned->fault);
  ReachFaultPoint("worker.returning");
  Send(std::move(request));
}

LeaseWorker::RunPointer LeaseWorker::Find(const std::string& run,
                                          std::uint64_t epoch) const {
  const auto it = runs_.find(run);
  return it != runs_.end() && it->second->epoch() == epoch ? it->second
                                                           : nullptr;
}

void LeaseWorker::Forget(const std::string& run) {
  runs_.erase(run);
  Demand();
  PrepareAhead();
  EndIfIdle();
}

void LeaseWorker::PrepareAhead() {
  if (!runs_.empty() || draining_ || ending_) return;
  asio::post(pool_, [&workshop = workshop_] { workshop.PrepareAhead(); });
  After(ahead_timer_, kAheadFor, &LeaseWorker::DropAhead);
}

void LeaseWorker::DropAhead() {
  if (runs_.empty())
    asio::post(pool_, [&workshop = workshop_] { workshop.DropAhead(); });
}

void LeaseWorker::Drain() {
  if (std::exchange(draining_, true)) return Stop();
  spdlog::info("draining: {} runs to finish", runs_.size());
  Demand();
  EndIfIdle();
  if (ending_) return;
  After(end_timer_, options_.drain_timeout, &LeaseWorker::Stop);
}

void LeaseWorker::EndIfIdle() {
  if (!runs_.empty() || !draining_ || ending_) return;
  HandEverythingBack("", false);
}

void LeaseWorker::HandEverythingBack(const std::string& reason, bool fault) {
  if (std::exchange(ending_, true)) return;
  draining_ = true;
  retry_timer_.cancel();
  fetcher_.Stop();
  const auto runs = runs_;
  for (const auto& [name, run] : runs) HandBack(run, reason, fault);
  if (!attached_) return End();
  AttachRequest request;
  request.mutable_goodbye();
  Send(std::move(request));
  connection_.Finish();
  After(end_timer_, kGoodbye, &LeaseWorker::End);
}

void LeaseWorker::End() {
  ending_ = true;
  if (std::exchange(ended_, true)) return;
  end_timer_.cancel();
  beat_timer_.cancel();
  retry_timer_.cancel();
  ahead_timer_.cancel();
  gather_timer_.cancel();
  if (events_.on_end) events_.on_end(end_);
}

}  // namespace

Expected<std::unique_ptr<Worker>> Worker::Make(asio::any_io_executor executor,
                                               Workshop& workshop,
                                               WorkerOptions options,
                                               Events events) {
  ASSAY_ASSIGN_OR_RETURN(
      ContentCache cache,
      ContentCache::Open(options.data_dir + "/content", kCacheBytes));
  std::optional<Credentials> credentials;
  if (options.token_file.empty()) {
    ASSAY_ASSIGN_OR_RETURN(auto identity, LoadIdentity(options.identity_file));
    if (!identity)
      return NotFound("there is no ", options.identity_file,
                      ": enrol this worker with --enrol TOKEN");
    ASSAY_ASSIGN_OR_RETURN(std::string authorities,
                           ReadAuthorities(options.ca_file));
    credentials = Credentials{*std::move(identity), std::move(authorities)};
  }
  return std::make_unique<LeaseWorker>(
      std::move(executor), workshop, std::move(options), std::move(events),
      std::move(cache), std::move(credentials));
}

}  // namespace assay::worker
