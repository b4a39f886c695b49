#include "services/submissions/submit.h"

#include <algorithm>

#include "services/rpc/proto_time.h"
#include "services/rpc/resource_name.h"
#include "services/runs/placement.h"
#include "services/runs/run_proto.h"

namespace assay::submissions {

Expected<Submitted> Submit(storage::Transaction& tx,
                           const storage::AttemptRecord& attempt,
                           const std::optional<storage::PushRecord>& push,
                           v1::Submission::Cause cause,
                           Clock::TimePoint submit_time, Clock::TimePoint now,
                           const std::string& ai_statement) {
  Submitted submitted;
  storage::SubmissionRecord& submission = submitted.submission;
  submission.attempt = attempt.id;
  ASSAY_ASSIGN_OR_RETURN(submission.number,
                         tx.submissions.NextNumber(attempt.id));
  submission.cause = cause;
  submission.ai_statement = ai_statement;
  submission.submit_time = submit_time;
  submission.clock_version = attempt.clock.version;
  submission.assignment_version = attempt.assignment_version;
  if (push) {
    ASSAY_ASSIGN_OR_RETURN(
        const storage::AssignmentRecord assignment,
        tx.assignments.Get(attempt.assignment, attempt.assignment_version));
    submission.commit = push->new_commit;
    submission.push_receive_time = push->receive_time;
    storage::RunRecord run = runs::NewRun();
    run.attempt = attempt.id;
    run.assignment = attempt.assignment;
    run.assignment_version = attempt.assignment_version;
    run.kind = v1::Run::KIND_FINAL;
    run.commit = submission.commit;
    run.plan_digest = assignment.plan_digest;
    run.needs = storage::FormatNeeds(runs::NeedsOf(assignment));
    run.push = push->id;
    run.submission = submission.number;
    run.queue_time = now;
    submission.run = run.id;
    ASSAY_ASSIGN_OR_RETURN(submitted.changes, tx.runs.Enqueue(run));
  }
  ASSAY_RETURN_IF_ERROR(tx.submissions.Create(submission));
  return submitted;
}

Expected<std::optional<Submitted>> SubmitAtDeadline(
    storage::Transaction& tx, const storage::AttemptRecord& attempt,
    const std::string& ref, Clock::TimePoint now) {
  if (!attempt.clock.cut_off_time)
    return FailedPrecondition("attempt ", attempt.id, " has no cut-off");
  const Clock::TimePoint cut_off = *attempt.clock.cut_off_time;
  ASSAY_ASSIGN_OR_RETURN(const auto earlier, tx.submissions.List(attempt.id));
  const bool by_candidate =
      std::any_of(earlier.begin(), earlier.end(),
                  [](const storage::SubmissionRecord& submission) {
                    return submission.cause == v1::Submission::CAUSE_CANDIDATE;
                  });
  if (by_candidate) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(const auto push,
                         tx.pushes.LastAccepted(attempt.id, ref, cut_off));
  const std::string commit = push ? push->new_commit : std::string();
  if (!earlier.empty() && earlier.back().commit == commit) return std::nullopt;
  return Submit(tx, attempt, push, v1::Submission::CAUSE_DEADLINE, cut_off,
                now);
}

v1::Submission ToProto(const storage::SubmissionRecord& submission) {
  v1::Submission proto;
  proto.set_name(rpc::FormatName("attempts", submission.attempt) +
                 "/submissions/" + std::to_string(submission.number));
  proto.set_commit(submission.commit);
  proto.set_cause(submission.cause);
  *proto.mutable_submit_time() = rpc::ToProto(submission.submit_time);
  if (submission.push_receive_time)
    *proto.mutable_push_receive_time() =
        rpc::ToProto(*submission.push_receive_time);
  proto.set_run(rpc::FormatName("runs", submission.run));
  proto.set_clock_version(submission.clock_version);
  proto.set_ai_statement(submission.ai_statement);
  return proto;
}

}  // namespace assay::submissions
