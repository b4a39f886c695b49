#include "services/runs/run_queue.h"

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

// What a batch that ends with the worker's last word leads to. `results` are
// read where they are not known.
Expected<RunChange> End(Transaction& tx, const RunRecord& run,
                        const v1::RunEvent::Finished& word,
                        const plan::v1::Plan& plan,
                        std::optional<std::vector<v1::CheckResult>> results,
                        Clock::TimePoint now) {
  // Our own fault is a loss like a silent worker's: tried again, and never
  // scored.
  if (word.outcome() == v1::Run::OUTCOME_ERRORED ||
      word.outcome() == v1::Run::OUTCOME_UNSPECIFIED)
    return tx.runs.HandBack(run.id, run.epoch, now, word.reason(), true);
  std::optional<v1::Score> score;
  if (word.outcome() != v1::Run::OUTCOME_CANCELLED) {
    if (!results) {
      ASSAY_ASSIGN_OR_RETURN(results,
                             tx.run_events.ListResults(run.id, run.epoch));
    }
    score = scoring::Compute(plan, *results, ScopeOf(run.kind));
  }
  return tx.runs.Finish(run.id, run.epoch, now, word.outcome(), word.reason(),
                        score);
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
  ASSAY_ASSIGN_OR_RETURN(
      storage::AppendResult stored,
      tx.run_events.Append(run.id, run.epoch, first_offset, events));
  Appended result;
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
  using Taken = std::optional<RunChange>;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Taken change,
      co_await store_.Write([rooms = std::move(rooms), ttl, now = clock_.Now()](
                                Transaction& tx) -> Expected<Taken> {
        ASSAY_ASSIGN_OR_RETURN(const auto heads, tx.queue.ListHeads());
        const std::optional<Choice> choice = Place(heads, rooms);
        if (!choice) return std::nullopt;
        return tx.runs.Lease(choice->run, choice->worker, now, ttl);
      }));
  if (!change) co_return std::nullopt;
  feed_.Publish(*change);
  if (observer_ != nullptr) observer_->Leased(change->run);
  co_return change->run;
}

Async<Clock::TimePoint> RunQueue::Renew(RunId run, std::uint64_t epoch,
                                        std::chrono::microseconds ttl) {
  co_return co_await store_.Write(
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
  Expected<Appended> appended = co_await store_.Write(
      [lease = std::move(lease), first_offset, events = std::move(events), plan,
       now](Transaction& tx) {
        return AppendIn(tx, lease, first_offset, events, plan.get(), now);
      });
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

Async<storage::RunCounts> RunQueue::Count() {
  co_return co_await store_.Read(
      [](Transaction& tx) { return tx.runs.Count(); });
}

}  // namespace assay::runs
