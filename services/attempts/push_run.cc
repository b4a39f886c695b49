#include "services/attempts/push_run.h"

#include "services/runs/placement.h"
#include "services/runs/run_proto.h"

namespace assay::attempts {

using storage::AssignmentRecord;
using storage::AttemptRecord;
using storage::PushRecord;
using storage::RunChange;
using storage::Transaction;

Expected<AssignmentRecord> AssignmentOf(Transaction& tx,
                                        const AttemptRecord& attempt) {
  return tx.assignments.Get(attempt.assignment,
                            attempt.reference ? 0 : attempt.assignment_version);
}

Expected<std::vector<RunChange>> QueuePushRun(
    Transaction& tx, const PushRecord& push, const AttemptRecord& attempt,
    const AssignmentRecord& assignment, Clock::TimePoint now) {
  storage::RunRecord run = runs::NewRun();
  run.attempt = attempt.id;
  run.assignment = attempt.assignment;
  run.assignment_version = assignment.version;
  run.kind = attempt.reference ? v1::Run::KIND_REFERENCE : v1::Run::KIND_PUSH;
  run.commit = push.new_commit;
  run.plan_digest = assignment.plan_digest;
  run.needs = storage::FormatNeeds(runs::NeedsOf(assignment));
  run.at_once = assignment.spec.push_runs_at_once();
  run.push = push.id;
  run.queue_time = now;
  return tx.runs.Enqueue(run);
}

}  // namespace assay::attempts
