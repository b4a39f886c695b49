// What a worker says about itself: hello, heartbeat, demand, fetch.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/dispatch/dispatcher_state.h"
#include "services/rpc/proto_time.h"

namespace assay::dispatch {
namespace {

using storage::RunRecord;

// Chunks stay under gRPC's message limit of 4 MiB with room to spare.
constexpr std::size_t kChunkBytes = std::size_t{3} << 20;
constexpr std::int32_t kMaxSlots = 1'024;

void SetDuration(std::chrono::milliseconds from,
                 google::protobuf::Duration* to) {
  to->set_seconds(from.count() / 1'000);
  to->set_nanos(static_cast<std::int32_t>(from.count() % 1'000 * 1'000'000));
}

storage::Needs OfferOf(const runner::v1::AttachRequest::Hello& hello) {
  // Who does not say what it has is taken by its slots alone.
  const auto or_any = [](std::int64_t said) {
    return said > 0 ? said : runs::Room::kAny;
  };
  return {.milli_cpus = or_any(std::int64_t{hello.cores()} * 1'000),
          .memory_bytes = or_any(hello.memory_bytes()),
          .pool = hello.pool(),
          .labels = {hello.labels().begin(), hello.labels().end()}};
}

// What is wrong with a hello; empty: nothing.
std::string Problem(const runner::v1::AttachRequest::Hello& hello) {
  if (hello.worker_id().empty() || hello.worker_id().size() > 128 ||
      hello.slots() < 1)
    return "hello needs a worker_id of 1 to 128 bytes and slots >= 1";
  if (!hello.name().empty() && !workers::IsWorkerName(hello.name()))
    return "hello has the name \"" + hello.name().substr(0, 100) +
           "\", expected 1 to 63 of [A-Za-z0-9._-]";
  return storage::LabelProblem(hello.pool(),
                               {hello.labels().begin(), hello.labels().end()});
}

}  // namespace

boost::asio::awaitable<void> Dispatcher::State::Handle(Self self,
                                                       std::uint64_t session,
                                                       Attach request) {
  Attachment* attachment = self->roster.Find(session);
  if (attachment == nullptr || self->stopped) co_return;
  attachment->heard = std::chrono::steady_clock::now();
  if (attachment->worker.empty() != request.has_hello()) {
    attachment->link->Close(
        Error{Code::kFailedPrecondition,
              "expected `hello` as the first message and only there"});
    co_return;
  }
  switch (request.message_case()) {
    case Attach::kHello:
      co_return co_await Hello(self, session, request.hello());
    case Attach::kDemand:
      attachment->demand = std::clamp(request.demand().count(), 0, kMaxSlots);
      self->Offer();
      co_return;
    case Attach::kHeartbeat:
      co_return co_await Heartbeat(self, session, request.heartbeat());
    case Attach::kFetch:
      // Content may have to be made first; reports must not wait for it.
      self->Spawn(Fetch(self, session, request.fetch()));
      co_return;
    case Attach::kRenew:
      co_return co_await Renew(self, session, request.renew());
    case Attach::kReport:
      co_return co_await Report(self, session,
                                std::move(*request.mutable_report()));
    case Attach::kHandBack: {
      const auto& back = request.hand_back();
      if (self->Owned(session, RunId(back.run()), back.epoch()) == nullptr) {
        self->Revoke(session, RunId(back.run()), back.epoch(),
                     "this worker has no lease on the run");
        co_return;
      }
      if (back.fault())
        self->Blame(RunId(back.run()), back.epoch(), back.reason());
      co_return co_await HandBack(self, RunId(back.run()), back.epoch(),
                                  back.reason(), &LeaseCounts::handed_back,
                                  back.fault());
    }
    case Attach::kGoodbye:
      co_return co_await Goodbye(self, session);
    case Attach::MESSAGE_NOT_SET:
      // A newer worker's message: it is not told, so it must not rely on it.
      co_return;
  }
}

boost::asio::awaitable<void> Dispatcher::State::Hello(Self self,
                                                      std::uint64_t session,
                                                      Attach::Hello hello) {
  Attachment* attachment = self->roster.Find(session);
  if (std::string problem = Problem(hello); !problem.empty()) {
    attachment->link->Close(Error{Code::kInvalidArgument, std::move(problem)});
    co_return;
  }
  if (const Status proven = self->Prove(*attachment, hello); !proven) {
    attachment->link->Close(proven.error());
    co_return;
  }
  const WorkerId worker = IdOf(*attachment, hello);
  if (Attachment* old = self->roster.FindWorker(worker)) {
    // The same process over a new connection: the old one is dead, though its
    // end may not have been seen yet.
    const auto link = old->link;
    self->roster.Close(old->id);
    link->Close(Error{Code::kAborted, "the worker has attached again"});
    attachment = self->roster.Find(session);
  }
  attachment->worker = worker;
  attachment->name = attachment->proof.certified() ? attachment->proof.name
                     : hello.name().empty()        ? worker.str()
                                                   : hello.name();
  attachment->slots = std::min(hello.slots(), kMaxSlots);
  attachment->offer = OfferOf(hello);
  attachment->attach_time = self->clock.Now();
  if (!co_await LookUp(self, session, hello)) co_return;
  attachment = self->roster.Find(session);
  if (attachment == nullptr) co_return;
  spdlog::info("worker {} ({}) attached: {} slots, version {}",
               attachment->name, worker.str(), attachment->slots,
               hello.version());

  runner::v1::AttachResponse response;
  auto& welcome = *response.mutable_welcome();
  SetDuration(self->options.heartbeat_interval,
              welcome.mutable_heartbeat_interval());
  SetDuration(self->options.lease_ttl, welcome.mutable_lease_ttl());
  welcome.set_coordinator_version(self->options.version);
  *welcome.mutable_send_time() = rpc::ToProto(self->clock.Now());
  attachment->link->Send(std::move(response));
  if (self->draining) attachment->link->Send(self->DrainMessage());
  if (!attachment->held_back.empty()) {
    runner::v1::AttachResponse standing;
    standing.mutable_standing()->set_held_back(attachment->held_back);
    attachment->link->Send(std::move(standing));
  }

  const std::vector<Attach::Held> held(hello.held().begin(),
                                       hello.held().end());
  if (self->HasOthers()) co_await AdoptOf(self, worker);
  std::vector<std::pair<RunId, std::uint64_t>> lost;
  for (const auto& [run, lease] : self->roster.leases()) {
    if (lease.run.worker != worker) continue;
    const bool named = std::ranges::any_of(held, [&](const auto& h) {
      return h.run() == run.str() && h.epoch() == lease.run.epoch;
    });
    if (!named) lost.emplace_back(run, lease.run.epoch);
  }
  co_await TakeUpHeld(self, session, held);
  for (const auto& [run, epoch] : lost)
    co_await HandBack(self, run, epoch,
                      "the lease was lost on its way to the worker",
                      &LeaseCounts::taken_back, false);
}

boost::asio::awaitable<void> Dispatcher::State::Heartbeat(
    Self self, std::uint64_t session, Attach::Heartbeat heartbeat) {
  if (!co_await StillGood(self, session)) co_return;
  self->TakeClock(session, heartbeat);
  std::vector<Attach::Held> held(heartbeat.held().begin(),
                                 heartbeat.held().end());
  const bool holds = !held.empty();
  co_await TakeUpHeld(self, session, std::move(held));
  if (holds) ReachFaultPoint("heartbeat.renewed");
  runner::v1::AttachResponse response;
  response.mutable_alive();
  self->SendTo(session, std::move(response));
}

boost::asio::awaitable<void> Dispatcher::State::TakeUpHeld(
    Self self, std::uint64_t session, std::vector<Attach::Held> held) {
  co_await AdoptUnknown(self, held);
  for (const Attach::Held& h : held) {
    const RunId run(h.run());
    if (self->Owned(session, run, h.epoch()) == nullptr) {
      self->Revoke(session, run, h.epoch(),
                   "this worker has no lease on the run");
      continue;
    }
    const auto renewed =
        co_await self->queue.Renew(run, h.epoch(), self->options.lease_ttl);
    if (renewed) continue;
    if (renewed.error().code == Code::kUnavailable) {
      // Says nothing about the lease; the next heartbeat tries again.
      spdlog::error("run {}: the lease could not be renewed: {}", run.str(),
                    renewed.error().message);
      continue;
    }
    if (self->roster.FindLease(run, h.epoch()) != nullptr)
      self->roster.RemoveLease(run);
    self->Revoke(session, run, h.epoch(), renewed.error().message);
  }
}

boost::asio::awaitable<void> Dispatcher::State::AdoptUnknown(
    Self self, const std::vector<Attach::Held>& held) {
  const bool all_known = std::ranges::all_of(held, [&](const auto& h) {
    return self->roster.FindLease(RunId(h.run()), h.epoch()) != nullptr;
  });
  if (all_known) co_return;
  // Leased by another coordinator, which the worker could not reach again.
  auto running = co_await self->queue.ListRunning();
  if (!running) co_return;
  for (RunRecord& record : *running) {
    const bool claimed = std::ranges::any_of(held, [&](const auto& h) {
      return h.run() == record.id.str() && h.epoch() == record.epoch;
    });
    if (claimed) self->roster.AddLease(std::move(record));
  }
}

boost::asio::awaitable<void> Dispatcher::State::AdoptOf(Self self,
                                                        WorkerId worker) {
  auto running = co_await self->queue.ListRunning();
  if (!running) co_return;
  for (RunRecord& record : *running)
    if (record.worker == worker &&
        self->roster.FindLease(record.id, record.epoch) == nullptr)
      self->roster.AddLease(std::move(record));
}

LiveLease* Dispatcher::State::Owned(std::uint64_t session, const RunId& run,
                                    std::uint64_t epoch) {
  const Attachment* attachment = roster.Find(session);
  LiveLease* lease = roster.FindLease(run, epoch);
  return attachment != nullptr && lease != nullptr &&
                 lease->run.worker == attachment->worker
             ? lease
             : nullptr;
}

boost::asio::awaitable<void> Dispatcher::State::Fetch(Self self,
                                                      std::uint64_t session,
                                                      Attach::Fetch fetch) {
  const Attachment* attachment = self->roster.Find(session);
  if (attachment == nullptr) co_return;
  runner::v1::AttachResponse response;
  auto& chunk = *response.mutable_chunk();
  chunk.set_digest(fetch.digest());
  chunk.set_offset(fetch.offset());

  // A worker sees the content of its own leases and nothing else.
  const WorkerId worker = attachment->worker;
  std::vector<std::pair<RunId, std::uint64_t>> bare;
  for (const auto& [run, lease] : self->roster.leases())
    if (lease.run.worker == worker && !lease.pack)
      bare.emplace_back(run, lease.run.epoch);
  for (const auto& [run, epoch] : bare)
    if (const Status loaded = co_await LoadContent(self, run, epoch); !loaded)
      spdlog::warn("run {}: {}", run.str(), loaded.error().message);
  SharedContent found;
  for (const auto& [run, lease] : self->roster.leases()) {
    if (lease.run.worker != worker) continue;
    for (const SharedContent& candidate : {lease.plan, lease.pack})
      if (candidate != nullptr && candidate->digest == fetch.digest())
        found = candidate;
  }
  if (found == nullptr) {
    chunk.set_error("no lease of this worker names content " + fetch.digest());
  } else if (auto bytes = found->Read(fetch.offset(), kChunkBytes); !bytes) {
    chunk.set_error(bytes.error().message);
  } else {
    chunk.set_total_bytes(found->size);
    chunk.set_content(*std::move(bytes));
  }
  self->SendTo(session, std::move(response));
}

// First of all it gets nothing more: a lease that is being granted now finds
// nobody to be sent to. One that crossed the goodbye was never begun.
boost::asio::awaitable<void> Dispatcher::State::Goodbye(Self self,
                                                        std::uint64_t session) {
  const Attachment* leaving = self->roster.Find(session);
  if (leaving == nullptr) co_return;
  const WorkerId worker = leaving->worker;
  const auto link = leaving->link;
  spdlog::info("worker {} ({}) has left", leaving->name, worker.str());
  self->roster.Close(session);
  co_await TakeBack(self, worker,
                    "the worker left before the lease reached it");
  link->Close(Error{Code::kCancelled, "the worker has said goodbye"});
}

}  // namespace assay::dispatch
