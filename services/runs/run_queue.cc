#include "services/runs/run_queue.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "services/scoring/score.h"

namespace assay::runs {
namespace {

using storage::RunChange;
using storage::RunRecord;
using storage::Transaction;

scoring::Scope ScopeOf(v1::Run::Kind kind) {
  return kind == v1::Run::KIND_PUSH ? scoring::Scope::kPublic
                                    : scoring::Scope::kAll;
}

// Our own fault is a loss like a silent worker's: tried again, and never
// scored.
bool IsLoss(const v1::RunEvent::Finished& word) {
  return word.outcome() == v1::Run::OUTCOME_ERRORED ||
         word.outcome() == v1::Run::OUTCOME_UNSPECIFIED;
}

std::optional<v1::Score> Judge(const RunRecord& run,
                               const v1::RunEvent::Finished& word,
                               const plan::v1::Plan& plan,
                               const std::vector<v1::CheckResult>& results) {
  if (word.outcome() == v1::Run::OUTCOME_CANCELLED) return std::nullopt;
  return scoring::Compute(plan, results, ScopeOf(run.kind));
}

// What a batch that ends with the worker's last word leads to. `results` are
// read where they are not known.
Expected<RunChange> End(Transaction& tx, const RunRecord& run,
                        const v1::RunEvent::Finished& word,
                        const plan::v1::Plan& plan,
                        std::optional<std::vector<v1::CheckResult>> results,
                        Clock::TimePoint now) {
  if (IsLoss(word))
    return tx.runs.HandBack(run.id, run.epoch, now, word.reason(), true);
  if (!results) {
    ASSAY_ASSIGN_OR_RETURN(results,
                           tx.run_events.ListResults(run.id, run.epoch));
  }
  return tx.runs.Finish(run.id, run.epoch, now, word.outcome(), word.reason(),
                        Judge(run, word, plan, *results));
}

struct Appended {
  RunQueue::Report report;
  std::vector<v1::RunEvent> events;
};

// The transaction of Append. `plan` is null unless `events` end the run. Of
// `run`, what never changes is read, and the epoch.
Expected<Appended> AppendIn(Transaction& tx, const RunRecord& run,
                            std::int64_t first_offset,
                            const std::vector<v1::RunEvent>& events,
                            const plan::v1::Plan* plan, Clock::TimePoint now) {
  Appended result;
  if (plan != nullptr && !IsLoss(events.back().finished())) {
    ASSAY_ASSIGN_OR_RETURN(
        auto ended, tx.run_events.AppendLast(
                        run.id, run.epoch, first_offset, events, now,
                        [&](const std::vector<v1::CheckResult>& results) {
                          return Judge(run, events.back().finished(), *plan,
                                       results);
                        }));
    if (ended) {
      result.report = {.next_offset = ended->next_offset, .finished = true};
      result.events = std::move(ended->appended);
      return result;
    }
  }
  ASSAY_ASSIGN_OR_RETURN(
      storage::AppendResult stored,
      tx.run_events.Append(run.id, run.epoch, first_offset, events));
  result.report.next_offset = stored.next_offset;
  result.events = std::move(stored.appended);
  const bool last_word = plan != nullptr && !result.events.empty();
  if (last_word) {
    ASSAY_ASSIGN_OR_RETURN(RunChange end,
                           End(tx, run, result.events.back().finished(), *plan,
                               std::move(stored.results), now));
    for (v1::RunEvent& event : end.events)
      result.events.push_back(std::move(event));
  }
  // A repeat of the last batch is told again that it was the last.
  result.report.finished =
      plan != nullptr &&
      stored.next_offset ==
          first_offset + static_cast<std::int64_t>(events.size());
  return result;
}

using Leased = std::optional<RunChange>;

// Leases the run whose turn it is where everything waits in `lane`, as it
// mostly still does: then nothing has to be asked first.
Expected<Leased> TakeOldest(Transaction& tx, const std::vector<Room>& rooms,
                            const std::string& lane, Clock::TimePoint now,
                            std::chrono::microseconds ttl,
                            storage::RunTable::Among among) {
  const bool any_run =
      std::ranges::all_of(rooms, &std::vector<RunId>::empty, &Room::failed);
  if (lane.empty() || !any_run) return std::nullopt;
  const storage::QueueHead head{.needs = storage::NeedsOfLane(lane)};
  const std::optional<Choice> choice = Place({&head, 1}, rooms);
  if (!choice) return std::nullopt;
  return tx.runs.LeaseOldest(lane, choice->worker, now, ttl, among);
}

struct Taken {
  Leased change;
  // Of all that was queued; empty: there were several.
  std::string only_lane;
};

// The transaction of TakeNext, when nobody else may be in one.
Expected<Taken> TakeIn(Transaction& tx, const std::vector<Room>& rooms,
                       const std::string& lane, Clock::TimePoint now,
                       std::chrono::microseconds ttl) {
  Taken taken;
  ASSAY_ASSIGN_OR_RETURN(
      taken.change,
      TakeOldest(tx, rooms, lane, now, ttl, storage::RunTable::Among::kNobody));
  if (taken.change) {
    taken.only_lane = lane;
    return taken;
  }
  ASSAY_ASSIGN_OR_RETURN(const auto heads, tx.queue.ListHeads());
  if (heads.size() == 1) taken.only_lane = heads.front().lane;
  if (const std::optional<Choice> choice = Place(heads, rooms)) {
    ASSAY_ASSIGN_OR_RETURN(
        taken.change, tx.runs.Lease(choice->run, choice->worker, now, ttl));
  }
  return taken;
}

Status AuditRefusal(Transaction& tx, const RunId& run, const Error& refusal,
                    Clock::TimePoint now) {
  return tx.audit.Append({.time = now,
                          .actor = "system",
                          .action = "run.verdict_refused",
                          .subject = "runs/" + run.str(),
                          .detail = refusal.message});
}

}  // namespace

RunQueue::RunQueue(storage::Store& store, PlanCache& plans, RunFeed& feed,
                   const Clock& clock)
    : store_(store), plans_(plans), feed_(feed), clock_(clock) {}

Async<std::optional<RunRecord>> RunQueue::TakeNext(
    std::vector<Room> rooms, std::chrono::microseconds ttl) {
  const Clock::TimePoint now = clock_.Now();
  Leased change;
  std::string lane = only_lane_;
  if (!lane.empty() && unlimited_) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        change,
        co_await store_.WriteBeside([rooms, lane, now, ttl](Transaction& tx) {
          return TakeOldest(tx, rooms, lane, now, ttl,
                            storage::RunTable::Among::kBeside);
        }));
    // What it could not take is no longer as it was.
    lane.clear();
  }
  if (!change) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        Taken taken, co_await store_.Write([rooms = std::move(rooms), lane, now,
                                            ttl](Transaction& tx) {
          return TakeIn(tx, rooms, lane, now, ttl);
        }));
    change = std::move(taken.change);
    only_lane_ = std::move(taken.only_lane);
    unlimited_ = change && change->run.at_once == 0;
  }
  if (!change) co_return std::nullopt;
  feed_.Publish(*change);
  if (observer_ != nullptr) observer_->Leased(change->run);
  co_return change->run;
}

Async<Clock::TimePoint> RunQueue::Renew(RunId run, std::uint64_t epoch,
                                        std::chrono::microseconds ttl) {
  co_return co_await store_.WriteBeside(
      [run, epoch, ttl, now = clock_.Now()](Transaction& tx) {
        return tx.runs.Renew(run, epoch, now, ttl);
      });
}

Async<RunQueue::Report> RunQueue::Append(RunRecord lease,
                                         std::int64_t first_offset,
                                         std::vector<v1::RunEvent> events) {
  const RunId run = lease.id;
  const bool ends = !events.empty() && events.back().has_finished();
  SharedPlan plan;
  if (ends) {
    ASSAY_CO_ASSIGN_OR_RETURN(plan, co_await plans_.Get(lease.plan_digest));
  }
  const AttemptId ended_of = ends ? lease.attempt : AttemptId();
  std::optional<RunRecord> observed;
  if (observer_ != nullptr) observed = lease;
  const Clock::TimePoint now = clock_.Now();
  // A run that is queued again has others to look at.
  const bool requeues = ends && IsLoss(events.back().finished());
  auto append = [lease = std::move(lease), first_offset,
                 events = std::move(events), plan, now](Transaction& tx) {
    return AppendIn(tx, lease, first_offset, events, plan.get(), now);
  };
  Expected<Appended> appended =
      requeues ? co_await store_.Write(std::move(append))
               : co_await store_.WriteBeside(std::move(append));
  if (!appended && appended.error().code == Code::kFailedPrecondition) {
    ASSAY_CO_RETURN_IF_ERROR(co_await store_.Write(
        [run, refusal = appended.error(), now](Transaction& tx) {
          return AuditRefusal(tx, run, refusal, now);
        }));
  }
  if (!appended) co_return std::unexpected(std::move(appended).error());
  if (observed) observer_->Reported(*observed, appended->events, now);
  feed_.Publish(run, std::move(appended->events));
  if (!ended_of.empty()) feed_.Touch(ended_of);
  co_return appended->report;
}

Async<void> RunQueue::HandBack(RunId run, std::uint64_t epoch,
                               std::string reason, bool fault) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const RunChange change,
      co_await store_.Write([run, epoch, reason = std::move(reason), fault,
                             now = clock_.Now()](Transaction& tx) {
        return tx.runs.HandBack(run, epoch, now, reason, fault);
      }));
  if (observer_ != nullptr) observer_->Lost(change.run);
  feed_.Publish(change);
  co_return Status();
}

Async<std::vector<RunRecord>> RunQueue::ExpireLeases() {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::vector<RunChange> changes,
      co_await store_.Write([now = clock_.Now()](Transaction& tx) {
        return tx.runs.ExpireLeases(now);
      }));
  feed_.Publish(changes);
  std::vector<RunRecord> runs;
  for (const RunChange& change : changes) {
    if (observer_ != nullptr) observer_->Lost(change.run);
    runs.push_back(change.run);
  }
  co_return runs;
}

Async<void> RunQueue::Abandon(RunId run, std::uint64_t epoch,
                              v1::Run::Outcome outcome, std::string reason) {
  ASSAY_CO_ASSIGN_OR_RETURN(RunRecord record,
                            co_await store_.Read([run](Transaction& tx) {
                              return tx.runs.Get(run);
                            }));
  ASSAY_CO_ASSIGN_OR_RETURN(const SharedPlan plan,
                            co_await plans_.Get(record.plan_digest));
  // Of the lease that is meant, which may be another one by now.
  record.epoch = epoch;
  v1::RunEvent::Finished word;
  word.set_outcome(outcome);
  word.set_reason(std::move(reason));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const RunChange change,
      co_await store_.Write(
          [record, word, plan, now = clock_.Now()](Transaction& tx) {
            return End(tx, record, word, *plan, std::nullopt, now);
          }));
  if (observer_ != nullptr) observer_->Lost(change.run);
  feed_.Publish(change);
  co_return Status();
}

Async<std::vector<RunRecord>> RunQueue::ListRunning() {
  co_return co_await store_.Read(
      [](Transaction& tx) { return tx.runs.ListRunning(); });
}

Async<RunRecord> RunQueue::Get(RunId run) {
  co_return co_await store_.Read(
      [run](Transaction& tx) { return tx.runs.Get(run); });
}

Async<std::optional<Clock::TimePoint>> RunQueue::NextExpiry() {
  co_return co_await store_.Read(
      [](Transaction& tx) { return tx.runs.NextExpiry(); });
}

Async<bool> RunQueue::AnyQueued() {
  co_return co_await store_.Read(
      [](Transaction& tx) { return tx.runs.AnyQueued(); });
}

}  // namespace assay::runs
