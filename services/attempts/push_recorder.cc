#include "services/attempts/push_recorder.h"

#include <chrono>
#include <utility>

#include "services/attempts/clock.h"
#include "services/attempts/push_rules.h"
#include "services/attempts/push_run.h"
#include "services/submissions/submit.h"

namespace assay::attempts {
namespace {

using storage::AssignmentRecord;
using storage::AttemptRecord;
using storage::PushRecord;
using storage::RunChange;
using storage::Transaction;

// What a confirmation stored, for the answer and the watchers.
struct Confirmation {
  ConfirmedPush push;
  AttemptId attempt;
  std::vector<RunChange> changes;
};

PushRecord MakeRecord(const PushIntent& intent, const AttemptId& attempt) {
  PushRecord record;
  record.id = PushId::Random();
  record.attempt = attempt;
  record.repository = intent.repository;
  record.ref = intent.ref;
  record.old_commit = intent.old_commit;
  record.new_commit = intent.new_commit;
  record.receive_time = intent.receive_time;
  record.subject = intent.subject;
  record.commit_time = intent.commit_time;
  return record;
}

Expected<RecordedIntent> RecordIn(Transaction& tx, const PushIntent& intent,
                                  const std::string& node) {
  ASSAY_RETURN_IF_ERROR(tx.repositories.CheckHome(intent.repository, node));
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                         tx.attempts.GetByRepository(intent.repository));
  ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord assignment,
                         AssignmentOf(tx, attempt));
  const PushDecision decision = DecidePush(attempt, assignment.spec, intent);
  PushRecord record = MakeRecord(intent, attempt.id);
  record.late = decision.late;
  record.refusal = decision.refusal;
  if (!decision.refusal.empty()) record.state = v1::Push::STATE_REFUSED;
  ASSAY_RETURN_IF_ERROR(tx.pushes.Create(record));
  return RecordedIntent{record.id, decision.refusal, decision.late};
}

// Why a push gets no run; empty when it gets one.
Expected<std::string> WithoutRun(Transaction& tx, const PushRecord& push,
                                 const AttemptRecord& attempt,
                                 const v1::AssignmentSpec& spec,
                                 Clock::TimePoint now) {
  if (push.ref != kGradedRef)
    return "kept, not graded: only " + std::string(kGradedRef) + " is";
  if (push.late &&
      spec.late_policy() != v1::AssignmentSpec::LATE_POLICY_PRACTICE)
    return std::string("kept and marked late: the submission stays as it is");
  // Found by the reconciler: its run would replace that of the newer one.
  ASSAY_ASSIGN_OR_RETURN(const bool outdated, tx.pushes.HasLater(push));
  if (outdated) return std::string("kept, not graded: a newer push is");
  if (spec.push_runs_per_hour() <= 0 || attempt.reference) return std::string();
  ASSAY_ASSIGN_OR_RETURN(
      const std::int32_t runs,
      tx.pushes.CountRunsSince(push.attempt, now - std::chrono::hours(1)));
  if (runs < spec.push_runs_per_hour()) return std::string();
  return "kept, not graded now: this assignment grades " +
         std::to_string(spec.push_runs_per_hour()) +
         " pushes an hour, and the last hour had as many";
}

// The answer to a confirmation that was given before.
Expected<Confirmation> Repeat(Transaction& tx, const PushRecord& push) {
  if (push.state == v1::Push::STATE_REFUSED)
    return FailedPrecondition("push ", push.id, " was refused: ", push.refusal);
  Confirmation again;
  again.push.push = push.id;
  again.push.run = push.run;
  if (push.run.empty()) return again;
  ASSAY_ASSIGN_OR_RETURN(const storage::RunRecord run, tx.runs.Get(push.run));
  if (run.state == v1::Run::STATE_QUEUED) {
    ASSAY_ASSIGN_OR_RETURN(again.push.queue_position, tx.queue.Position(run));
  }
  return again;
}

// The deadline fired while this push, which came in time, was on its way: its
// commit is what the deadline should have found.
Status CountAfterDeadline(Transaction& tx, const AttemptRecord& attempt,
                          Clock::TimePoint now, Confirmation& confirmation) {
  ASSAY_ASSIGN_OR_RETURN(
      auto submitted,
      submissions::SubmitAtDeadline(tx, attempt, std::string(kGradedRef), now));
  if (!submitted) return {};
  for (RunChange& change : submitted->changes)
    confirmation.changes.push_back(std::move(change));
  return {};
}

Expected<Confirmation> ConfirmIn(Transaction& tx, const PushId& id,
                                 Clock::TimePoint now,
                                 const std::string& node) {
  ASSAY_ASSIGN_OR_RETURN(const PushRecord push, tx.pushes.Get(id));
  // Moved away while the ref was: what was made of it elsewhere counts, as
  // soon as something was.
  if (push.state != v1::Push::STATE_RECEIVED) return Repeat(tx, push);
  ASSAY_RETURN_IF_ERROR(tx.repositories.CheckHome(push.repository, node));
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                         tx.attempts.Get(push.attempt));
  ASSAY_ASSIGN_OR_RETURN(const AssignmentRecord assignment,
                         AssignmentOf(tx, attempt));
  Confirmation confirmation;
  confirmation.push.push = id;
  confirmation.attempt = attempt.id;
  ASSAY_ASSIGN_OR_RETURN(confirmation.push.notice,
                         WithoutRun(tx, push, attempt, assignment.spec, now));
  if (confirmation.push.notice.empty()) {
    ASSAY_ASSIGN_OR_RETURN(confirmation.changes,
                           QueuePushRun(tx, push, attempt, assignment, now));
    const storage::RunRecord& run = confirmation.changes.front().run;
    confirmation.push.run = run.id;
    ASSAY_ASSIGN_OR_RETURN(confirmation.push.queue_position,
                           tx.queue.Position(run));
  }
  ASSAY_RETURN_IF_ERROR(tx.pushes.MarkAccepted(id, confirmation.push.run));
  if (attempt.state == v1::Attempt::STATE_SUBMITTED && !push.late)
    ASSAY_RETURN_IF_ERROR(CountAfterDeadline(tx, attempt, now, confirmation));
  return confirmation;
}

}  // namespace

PushRecorder::PushRecorder(storage::Store& store, runs::RunFeed& feed,
                           const Clock& clock, std::string node)
    : store_(store), feed_(feed), clock_(clock), node_(std::move(node)) {}

PushRecorder::Arrival::Arrival(PushRecorder& recorder, RepositoryId repository,
                               Clock::TimePoint receive_time)
    : recorder_(recorder),
      repository_(std::move(repository)),
      receive_time_(receive_time) {
  recorder_.arrivals_[repository_].insert(receive_time_);
}

PushRecorder::Arrival::~Arrival() {
  const auto it = recorder_.arrivals_.find(repository_);
  it->second.erase(it->second.find(receive_time_));
  if (it->second.empty()) recorder_.arrivals_.erase(it);
}

std::unique_ptr<PushRecorder::Arrival> PushRecorder::Arrive(
    RepositoryId repository, Clock::TimePoint receive_time) {
  return std::make_unique<Arrival>(*this, std::move(repository), receive_time);
}

bool PushRecorder::HasArrivals(const RepositoryId& repository,
                               Clock::TimePoint time) const {
  const auto it = arrivals_.find(repository);
  return it != arrivals_.end() && *it->second.begin() <= time;
}

Async<RecordedIntent> PushRecorder::RecordPushIntent(PushIntent intent) {
  struct Recorded {
    RecordedIntent intent;
    AttemptId attempt;
  };
  const Clock::TimePoint receive_time = intent.receive_time;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Recorded recorded,
      co_await store_.Write([intent = std::move(intent), node = node_](
                                Transaction& tx) -> Expected<Recorded> {
        Recorded result;
        ASSAY_ASSIGN_OR_RETURN(result.intent, RecordIn(tx, intent, node));
        ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                               tx.attempts.GetByRepository(intent.repository));
        result.attempt = attempt.id;
        return result;
      }));
  // A refusal is all that happens; else the confirmation tells.
  if (!recorded.intent.refusal.empty())
    feed_.Touch(recorded.attempt);
  else if (observer_ != nullptr)
    observer_->PushRecorded(recorded.intent.push, receive_time);
  co_return recorded.intent;
}

Async<ConfirmedPush> PushRecorder::ConfirmPush(PushId push) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Confirmation confirmation,
      co_await store_.Write(
          [push, now = clock_.Now(), node = node_](Transaction& tx) {
            return ConfirmIn(tx, push, now, node);
          }));
  if (observer_ != nullptr)
    for (const RunChange& change : confirmation.changes)
      observer_->Queued(change.run);
  feed_.Publish(confirmation.changes);
  feed_.Touch(confirmation.attempt);
  co_return confirmation.push;
}

Async<void> PushRecorder::RefusePush(PushId push, std::string reason) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AttemptId attempt,
      co_await store_.Write([push, reason = std::move(reason)](
                                Transaction& tx) -> Expected<AttemptId> {
        ASSAY_RETURN_IF_ERROR(tx.pushes.MarkRefused(push, reason));
        ASSAY_ASSIGN_OR_RETURN(const PushRecord record, tx.pushes.Get(push));
        return record.attempt;
      }));
  feed_.Touch(attempt);
  co_return Status();
}

Async<void> PushRecorder::DescribePush(PushId push, std::string subject,
                                       Clock::TimePoint commit_time) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AttemptId attempt,
      co_await store_.Write([push, subject = std::move(subject), commit_time](
                                Transaction& tx) -> Expected<AttemptId> {
        ASSAY_RETURN_IF_ERROR(tx.pushes.Describe(push, subject, commit_time));
        ASSAY_ASSIGN_OR_RETURN(const PushRecord record, tx.pushes.Get(push));
        return record.attempt;
      }));
  feed_.Touch(attempt);
  co_return Status();
}

Async<std::vector<PushRecord>> PushRecorder::ListOpenIntents() {
  using Records = std::vector<PushRecord>;
  co_return co_await store_.Read(
      [node = node_](Transaction& tx) -> Expected<Records> {
        ASSAY_ASSIGN_OR_RETURN(const Records open, tx.pushes.ListOpen());
        Records ours;
        for (const PushRecord& push : open)
          if (tx.repositories.CheckHome(push.repository, node))
            ours.push_back(push);
        return ours;
      });
}

Async<ConfirmedPush> PushRecorder::RecordFoundTip(RepositoryId repository,
                                                  std::string ref,
                                                  std::string commit,
                                                  Clock::TimePoint time) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Confirmation confirmation,
      co_await store_.Write([repository, ref, commit, time, now = clock_.Now(),
                             node = node_](
                                Transaction& tx) -> Expected<Confirmation> {
        ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                               tx.attempts.GetByRepository(repository));
        PushRecord record = MakeRecord({.repository = repository,
                                        .ref = ref,
                                        .new_commit = commit,
                                        .receive_time = time},
                                       attempt.id);
        record.late = IsLate(attempt.clock, time);
        ASSAY_RETURN_IF_ERROR(tx.pushes.Create(record));
        ASSAY_RETURN_IF_ERROR(tx.audit.Append(
            {.time = now,
             .actor = "system",
             .action = "push.found",
             .subject = "attempts/" + attempt.id.str(),
             .detail = ref + " was found at " + commit + " without a push"}));
        return ConfirmIn(tx, record.id, now, node);
      }));
  feed_.Publish(confirmation.changes);
  feed_.Touch(confirmation.attempt);
  co_return confirmation.push;
}

Async<std::map<std::string, std::string>> PushRecorder::AcceptedTips(
    RepositoryId repository) {
  using Tips = std::map<std::string, std::string>;
  co_return co_await store_.Read(
      [repository](Transaction& tx) -> Expected<Tips> {
        ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                               tx.attempts.GetByRepository(repository));
        return tx.pushes.AcceptedTips(attempt.id);
      });
}

}  // namespace assay::attempts
