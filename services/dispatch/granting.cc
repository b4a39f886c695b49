// How queued runs become leases.
#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "proto/base/fault_point.h"
#include "services/dispatch/dispatcher_state.h"
#include "services/runs/run_observer.h"

namespace assay::dispatch {

using google::protobuf::util::TimeUtil;
using storage::RunRecord;

namespace {

bool AnyPlace(const std::vector<runs::Room>& rooms) {
  return std::ranges::any_of(
      rooms, [](const runs::Room& room) { return room.places > 0; });
}

}  // namespace

void Dispatcher::State::Offer() {
  if (draining || stopped) return;
  offer_again = true;
  if (granting || !AnyPlace(roster.Rooms())) return;
  granting = true;
  Spawn(Grant(shared_from_this()));
}

boost::asio::awaitable<void> Dispatcher::State::Grant(Self self) {
  while (std::exchange(self->offer_again, false)) {
    // Asking costs a read; an idle installation must not write every second.
    if (!self->expects_queued) {
      const auto queued = co_await self->queue.AnyQueued();
      if (queued && !*queued) continue;
    }
    while (!self->draining && !self->stopped) {
      std::vector<runs::Room> rooms = self->roster.Rooms();
      if (!AnyPlace(rooms)) break;
      auto taken = co_await self->queue.TakeNext(std::move(rooms),
                                                 self->options.lease_ttl);
      if (!taken)
        spdlog::error("no run could be leased: {}", taken.error().message);
      self->expects_queued = taken && taken->has_value();
      if (!self->expects_queued) break;
      ReachFaultPoint("lease.granted");
      RunRecord run = **std::move(taken);
      if (Attachment* to = self->roster.FindWorker(run.worker)) --to->demand;
      ++self->counts.granted;
      const RunId id = run.id;
      const std::uint64_t epoch = run.epoch;
      self->roster.AddLease(std::move(run));
      self->Spawn(SendLease(self, id, epoch));
    }
  }
  self->granting = false;
}

boost::asio::awaitable<Status> Dispatcher::State::LoadPlan(
    Self self, RunId run, std::uint64_t epoch) {
  const LiveLease* lease = self->roster.FindLease(run, epoch);
  if (lease == nullptr || lease->plan != nullptr) co_return Status{};
  const std::string digest = lease->run.plan_digest;
  ASSAY_CO_ASSIGN_OR_RETURN(SharedContent plan,
                            co_await self->content.plan(digest));
  plan::v1::Plan parsed;
  if (!parsed.ParseFromString(plan->bytes))
    co_return DataLoss("plan ", digest, " cannot be parsed");
  if (LiveLease* live = self->roster.FindLease(run, epoch)) {
    live->plan = std::move(plan);
    const auto limit = std::chrono::nanoseconds(
        TimeUtil::DurationToNanoseconds(parsed.limits().run_timeout()));
    live->end =
        std::chrono::steady_clock::now() +
        self->TimeLeft(live->run,
                       std::chrono::ceil<std::chrono::milliseconds>(limit));
  }
  co_return Status{};
}

std::chrono::milliseconds Dispatcher::State::TimeLeft(
    const RunRecord& run, std::chrono::milliseconds limit) const {
  const auto whole = limit + options.run_slack;
  if (!run.start_time) return whole;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      whole - (clock.Now() - *run.start_time));
  // What it did while nobody was there to be told, its worker has a term to
  // come back with.
  return std::min(whole, std::max(left, options.lease_ttl));
}

boost::asio::awaitable<void> Dispatcher::State::MeasureAdopted(Self self) {
  std::vector<std::pair<RunId, std::uint64_t>> unmeasured;
  for (const auto& [run, lease] : self->roster.leases())
    if (!lease.plan && !lease.preparing)
      unmeasured.emplace_back(run, lease.run.epoch);
  // What cannot be read now is asked for again at the next sweep.
  for (const auto& [run, epoch] : unmeasured)
    static_cast<void>(co_await LoadPlan(self, run, epoch));
  self->measuring = false;
}

boost::asio::awaitable<Status> Dispatcher::State::LoadContent(
    Self self, RunId run, std::uint64_t epoch) {
  ASSAY_CO_RETURN_IF_ERROR(co_await LoadPlan(self, run, epoch));
  const LiveLease* lease = self->roster.FindLease(run, epoch);
  if (lease == nullptr || lease->pack != nullptr) co_return Status{};
  const AttemptId attempt = lease->run.attempt;
  const std::string commit = lease->run.commit;
  ASSAY_CO_ASSIGN_OR_RETURN(SharedContent pack,
                            co_await self->content.pack(attempt, commit));
  if (LiveLease* live = self->roster.FindLease(run, epoch))
    live->pack = std::move(pack);
  co_return Status{};
}

boost::asio::awaitable<void> Dispatcher::State::SendLease(Self self, RunId run,
                                                          std::uint64_t epoch) {
  if (LiveLease* taken = self->roster.FindLease(run, epoch))
    taken->preparing = LiveLease::Preparing{
        .since = std::chrono::steady_clock::now(), .failure = {}};
  if (const Status loaded = co_await LoadContent(self, run, epoch); !loaded) {
    const std::string reason =
        "what the run needs could not be prepared: " + loaded.error().message;
    // A store that is down is nobody's fault and soon up again: the next sweep
    // puts the run back, for as often as it takes.
    LiveLease* waiting = self->roster.FindLease(run, epoch);
    if (loaded.error().code == Code::kUnavailable && waiting != nullptr) {
      waiting->preparing->failure = reason;
      co_return;
    }
    co_return co_await HandBack(self, run, epoch, reason,
                                &LeaseCounts::taken_back, true);
  }
  LiveLease* lease = self->roster.FindLease(run, epoch);
  if (lease == nullptr) co_return;
  lease->preparing.reset();
  const Attachment* to = self->roster.FindWorker(lease->run.worker);
  if (to == nullptr) {
    co_return co_await HandBack(self, run, epoch,
                                "the worker left before the lease was sent",
                                &LeaseCounts::taken_back, false);
  }
  runner::v1::AttachResponse response;
  auto& message = *response.mutable_lease();
  message.set_run(run.str());
  message.set_epoch(epoch);
  if (lease->run.lease_expiry)
    *message.mutable_expire_time() =
        TimeUtil::MicrosecondsToTimestamp(ToMicros(*lease->run.lease_expiry));
  // The parent is the run itself, whose span has the id that its trace's first
  // half gives; the flag says "sampled".
  if (lease->run.trace_id.size() == 32)
    message.set_traceparent("00-" + lease->run.trace_id + "-" +
                            lease->run.trace_id.substr(0, 16) + "-01");
  message.set_plan_digest(lease->plan->digest);
  message.set_commit(lease->run.commit);
  message.set_pack_digest(lease->pack->digest);
  message.set_pack_bytes(lease->pack->size);
  message.set_kind(lease->run.kind);
  message.set_seed(lease->run.seed);
  spdlog::info("run {} leased to {} (epoch {})", run.str(),
               lease->run.worker.str(), epoch);
  to->link->Send(std::move(response));
  if (self->options.observer != nullptr)
    self->options.observer->LeaseSent(lease->run);
  ReachFaultPoint("lease.sent");
}

}  // namespace assay::dispatch
