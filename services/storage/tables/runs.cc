#include "services/storage/tables/runs.h"

#include <utility>

#include "services/rpc/proto_time.h"
#include "services/storage/sql/cursor.h"
#include "services/storage/tables/oldest_run.h"
#include "services/storage/tables/queue.h"
#include "services/storage/tables/run_event_rows.h"

namespace assay::storage {
namespace {

using std::chrono::microseconds;

#define ASSAY_RUN_COLUMNS                                                    \
  "id, attempt, assignment, assignment_version, kind, commit_id, "           \
  "plan_digest, trace_id, seed, push, submission, queue_time, state, "       \
  "outcome, outcome_reason, start_time, finish_time, score, epoch, worker, " \
  "lease_expiry, losses, next_offset, next_sequence, lane, at_once"

// States stand as literals where an index is meant for them: 1 queued, 2
// running, 3 finished, 4 superseded.
static_assert(v1::Run::STATE_QUEUED == 1 && v1::Run::STATE_RUNNING == 2 &&
              v1::Run::STATE_FINISHED == 3 && v1::Run::STATE_SUPERSEDED == 4);

// "orders-api cpus=2000": a slug has no spaces.
std::string LaneOf(const RunRecord& run) {
  return run.needs.empty() ? run.assignment.str()
                           : run.assignment.str() + " " + run.needs;
}

RunRecord Read(const sql::Row& row) {
  RunRecord run;
  run.id = RunId(row.Text(0));
  run.attempt = AttemptId(row.Text(1));
  run.assignment = AssignmentId(row.Text(2));
  run.assignment_version = static_cast<std::int32_t>(row.Int(3));
  run.kind = static_cast<v1::Run::Kind>(row.Int(4));
  run.commit = row.Text(5);
  run.plan_digest = row.Text(6);
  run.trace_id = row.Text(7);
  run.seed = static_cast<std::uint64_t>(row.Int(8));
  run.push = PushId(row.Text(9));
  run.submission = static_cast<std::int32_t>(row.Int(10));
  run.queue_time = row.Time(11);
  run.state = static_cast<v1::Run::State>(row.Int(12));
  run.outcome = static_cast<v1::Run::Outcome>(row.Int(13));
  run.outcome_reason = row.Text(14);
  run.start_time = row.MaybeTime(15);
  run.finish_time = row.MaybeTime(16);
  if (!row.IsNull(17)) run.score.emplace().ParseFromString(row.Blob(17));
  run.epoch = static_cast<std::uint64_t>(row.Int(18));
  run.worker = WorkerId(row.Text(19));
  run.lease_expiry = row.MaybeTime(20);
  run.losses = static_cast<std::int32_t>(row.Int(21));
  run.next_offset = row.Int(22);
  run.next_sequence = row.Int(23);
  run.needs = NeedsOfLane(row.Text(24));
  run.at_once = static_cast<std::int32_t>(row.Int(25));
  return run;
}

std::vector<RunRecord> ReadAll(const sql::Result& result) {
  std::vector<RunRecord> runs;
  for (const sql::Row& row : result.rows) runs.push_back(Read(row));
  return runs;
}

constexpr const char* kReplaced = "a newer push replaced it before it ran";

// Of these, the newest of an attempt is all that anybody waits for.
bool IsOfPush(v1::Run::Kind kind) {
  return kind == v1::Run::KIND_PUSH || kind == v1::Run::KIND_REFERENCE;
}

// Whether a push's run that would be queued again would wait beside one of a
// newer push of the same attempt.
Expected<bool> NewerPushWaits(sql::Connection& connection,
                              const RunRecord& run) {
  if (!IsOfPush(run.kind)) return false;
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result newer,
      connection.Execute(
          "SELECT 1 FROM runs WHERE attempt = $1 AND kind = $2 AND "
          "state = 1 AND id <> $3 AND queue_time >= $4 LIMIT 1",
          {run.attempt.str(), sql::Number(run.kind), run.id.str(),
           sql::Time(run.queue_time)}));
  return !newer.rows.empty();
}

// Appends the StateChanged event of a run whose UPDATE has just reserved its
// sequence number.
Expected<RunChange> Announce(sql::Connection& connection, RunRecord run,
                             Clock::TimePoint now) {
  RunChange change;
  v1::RunEvent& event = change.events.emplace_back();
  event.set_sequence(run.next_sequence - 1);
  event.set_epoch(run.epoch);
  *event.mutable_time() = rpc::ToProto(now);
  event.mutable_state_changed()->set_state(run.state);
  if (run.score) *event.mutable_state_changed()->mutable_score() = *run.score;
  ASSAY_RETURN_IF_ERROR(InsertRunEvents(connection, run.id, {&event, 1}));
  change.run = std::move(run);
  return change;
}

}  // namespace

Expected<std::vector<RunChange>> RunTable::Enqueue(const RunRecord& run) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result inserted,
      connection_.Execute(
          "INSERT INTO runs (id, attempt, assignment, assignment_version, "
          "kind, priority, commit_id, plan_digest, trace_id, seed, push, "
          "submission, queue_time, state, outcome, outcome_reason, epoch, "
          "worker, losses, next_offset, next_sequence, lane, at_once) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
          "1, 0, '', 0, '', 0, 1, 2, $14, $15) RETURNING " ASSAY_RUN_COLUMNS,
          {run.id.str(), run.attempt.str(), run.assignment.str(),
           sql::Number(run.assignment_version), sql::Number(run.kind),
           PriorityOf(run.kind), run.commit, run.plan_digest, run.trace_id,
           static_cast<std::int64_t>(run.seed), run.push.str(),
           sql::Number(run.submission), sql::Time(run.queue_time), LaneOf(run),
           sql::Number(run.at_once)}));
  std::vector<RunChange> changes;
  ASSAY_ASSIGN_OR_RETURN(
      RunChange queued,
      Announce(connection_, Read(inserted.rows.front()), run.queue_time));
  changes.push_back(std::move(queued));
  if (!IsOfPush(run.kind)) return changes;

  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result superseded,
      connection_.Execute(
          "UPDATE runs SET state = 4, finish_time = $3, "
          "outcome_reason = $5, "
          "next_sequence = next_sequence + 1 "
          "WHERE attempt = $1 AND kind = $4 AND state = 1 AND id <> $2 "
          "RETURNING " ASSAY_RUN_COLUMNS,
          {run.attempt.str(), run.id.str(), sql::Time(run.queue_time),
           sql::Number(run.kind), std::string(kReplaced)}));
  for (RunRecord& old : ReadAll(superseded)) {
    ASSAY_ASSIGN_OR_RETURN(
        RunChange change,
        Announce(connection_, std::move(old), run.queue_time));
    changes.push_back(std::move(change));
  }
  return changes;
}

Expected<std::optional<RunChange>> RunTable::Lease(const RunId& run,
                                                   const WorkerId& worker,
                                                   Clock::TimePoint now,
                                                   microseconds ttl) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result taken,
      connection_.Execute(
          "UPDATE runs SET state = 2, epoch = epoch + 1, worker = $2, "
          "lease_expiry = $3, start_time = $4, next_offset = 1, "
          "next_sequence = next_sequence + 1 WHERE state = 1 AND id = $1 "
          "RETURNING " ASSAY_RUN_COLUMNS,
          {run.str(), worker.str(), sql::Time(now + ttl), sql::Time(now)}));
  if (taken.rows.empty()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(RunChange change,
                         Announce(connection_, Read(taken.rows.front()), now));
  return change;
}

Expected<std::optional<RunChange>> RunTable::LeaseOldest(
    const std::string& lane, const WorkerId& worker, Clock::TimePoint now,
    microseconds ttl, Among among) {
#define ASSAY_LEASE_BY_ID                                       \
  "UPDATE runs SET state = 2, epoch = epoch + 1, worker = $2, " \
  "lease_expiry = $3, start_time = $4, next_offset = 1, "       \
  "next_sequence = next_sequence + 1 WHERE state = 1 AND "      \
  "(SELECT MIN(lane) FROM runs WHERE state = 1) = $1 AND "      \
  "(SELECT MAX(lane) FROM runs WHERE state = 1) = $1 AND id = "
  std::string statement = ASSAY_LEASE_BY_ID "(" ASSAY_OLDEST_RUN ")";
  if (among == Among::kBeside)
    statement = ASSAY_LEASE_BY_ID
                "(SELECT r.id FROM runs AS r WHERE r.state = 1 "
                "ORDER BY r.priority DESC, r.queue_time, r.id LIMIT 1" +
                std::string(connection_.SkipLocked()) + ") AND at_once = 0";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result taken,
      connection_.Execute(
          statement + " RETURNING " ASSAY_RUN_COLUMNS,
          {lane, worker.str(), sql::Time(now + ttl), sql::Time(now)}));
  if (taken.rows.empty()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(RunChange change,
                         Announce(connection_, Read(taken.rows.front()), now));
  return change;
}

Expected<Clock::TimePoint> RunTable::Renew(const RunId& run,
                                           std::uint64_t epoch,
                                           Clock::TimePoint now,
                                           microseconds ttl) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE runs SET lease_expiry = $3 WHERE id = $1 AND "
          "epoch = $2 AND state = 2",
          {run.str(), static_cast<std::int64_t>(epoch), sql::Time(now + ttl)}));
  if (updated.affected == 0)
    return Aborted("run ", run, " is not leased under epoch ", epoch);
  return now + ttl;
}

Expected<RunChange> RunTable::Finish(const RunId& run, std::uint64_t epoch,
                                     Clock::TimePoint now,
                                     v1::Run::Outcome outcome,
                                     const std::string& reason,
                                     const std::optional<v1::Score>& score) {
  const sql::Value score_bytes =
      score ? sql::Value(sql::Bytes{score->SerializeAsString()}) : sql::Value();
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE runs SET state = 3, outcome = $3, outcome_reason = $4, "
          "score = $5, finish_time = $6, lease_expiry = NULL, "
          "next_sequence = next_sequence + 1 "
          "WHERE id = $1 AND epoch = $2 AND state = 2 "
          "RETURNING " ASSAY_RUN_COLUMNS,
          {run.str(), static_cast<std::int64_t>(epoch), sql::Number(outcome),
           reason, score_bytes, sql::Time(now)}));
  if (!updated.rows.empty())
    return Announce(connection_, Read(updated.rows.front()), now);
  ASSAY_ASSIGN_OR_RETURN(RunRecord current, Get(run));
  if (current.epoch == epoch && current.state == v1::Run::STATE_FINISHED &&
      current.outcome == outcome)
    return RunChange{std::move(current), {}};
  return Aborted("run ", run, " is not leased under epoch ", epoch);
}

Expected<RunChange> RunTable::HandBack(const RunId& run, std::uint64_t epoch,
                                       Clock::TimePoint now,
                                       const std::string& reason, bool fault) {
  ASSAY_ASSIGN_OR_RETURN(const RunRecord current, Get(run));
  if (current.epoch != epoch || current.state != v1::Run::STATE_RUNNING)
    return Aborted("run ", run, " is not leased under epoch ", epoch);
  return Requeue(current, now, reason, fault);
}

Expected<std::vector<RunChange>> RunTable::ExpireLeases(Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result expired,
      connection_.Execute("SELECT " ASSAY_RUN_COLUMNS
                          " FROM runs WHERE state = 2 AND lease_expiry <= $1 "
                          "ORDER BY lease_expiry, id",
                          {sql::Time(now)}));
  std::vector<RunChange> changes;
  for (const RunRecord& run : ReadAll(expired)) {
    ASSAY_ASSIGN_OR_RETURN(
        RunChange change,
        Requeue(run, now, "worker " + run.worker.str() + " fell silent", true));
    changes.push_back(std::move(change));
  }
  return changes;
}

Expected<RunChange> RunTable::Requeue(const RunRecord& run,
                                      Clock::TimePoint now,
                                      const std::string& reason, bool fault) {
  const std::int32_t losses = run.losses + (fault ? 1 : 0);
  const bool lost = losses >= kMaxLosses;
  ASSAY_ASSIGN_OR_RETURN(const bool replaced, NewerPushWaits(connection_, run));
  const bool over = lost || replaced;
  v1::Run::State state = v1::Run::STATE_QUEUED;
  if (replaced) state = v1::Run::STATE_SUPERSEDED;
  if (lost) state = v1::Run::STATE_FINISHED;
  // The lease as it was read is part of the condition: a renewal that came
  // between keeps the run where it is.
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE runs SET state = $3, outcome = $4, outcome_reason = $5, "
          "finish_time = $6, losses = $7, worker = '', lease_expiry = NULL, "
          "start_time = NULL, next_sequence = next_sequence + 1 "
          "WHERE id = $1 AND epoch = $2 AND state = 2 AND lease_expiry = $8 "
          "RETURNING " ASSAY_RUN_COLUMNS,
          {run.id.str(), static_cast<std::int64_t>(run.epoch),
           sql::Number(state),
           sql::Number(lost ? v1::Run::OUTCOME_ERRORED
                            : v1::Run::OUTCOME_UNSPECIFIED),
           lost
               ? "lost " + std::to_string(losses) +
                     " times through no fault of the candidate, last: " + reason
               : std::string(replaced ? kReplaced : ""),
           over ? sql::Time(now) : sql::Value(), sql::Number(losses),
           sql::Time(run.lease_expiry)}));
  if (updated.rows.empty())
    return Aborted("run ", run.id, " is not leased under epoch ", run.epoch);
  return Announce(connection_, Read(updated.rows.front()), now);
}

Expected<RunChange> RunTable::Cancel(const RunId& run, Clock::TimePoint now,
                                     const std::string& reason) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE runs SET state = 3, outcome = $2, outcome_reason = $3, "
          "finish_time = $4, lease_expiry = NULL, "
          "next_sequence = next_sequence + 1 "
          "WHERE id = $1 AND (state = 1 OR state = 2) "
          "RETURNING " ASSAY_RUN_COLUMNS,
          {run.str(), sql::Number(v1::Run::OUTCOME_CANCELLED), reason,
           sql::Time(now)}));
  if (!updated.rows.empty())
    return Announce(connection_, Read(updated.rows.front()), now);
  ASSAY_ASSIGN_OR_RETURN(RunRecord current, Get(run));
  if (current.outcome == v1::Run::OUTCOME_CANCELLED)
    return RunChange{std::move(current), {}};
  return FailedPrecondition("run ", run, " has ended already");
}

Expected<RunRecord> RunTable::Get(const RunId& id) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT " ASSAY_RUN_COLUMNS " FROM runs WHERE id = $1", {id.str()}));
  if (found.rows.empty()) return NotFound("there is no run ", id);
  return Read(found.rows.front());
}

Expected<std::optional<RunRecord>> RunTable::FindNewest(
    const AttemptId& attempt, std::int32_t assignment_version, Which which) {
#define ASSAY_NEWEST_RUN(condition)    \
  "SELECT " ASSAY_RUN_COLUMNS          \
  " FROM runs WHERE attempt = $1 AND " \
  "assignment_version = $2 " condition \
  "ORDER BY queue_time DESC, id DESC LIMIT 1"
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          which == Which::kAny
              ? ASSAY_NEWEST_RUN("")
              : ASSAY_NEWEST_RUN("AND state = 3 AND score IS NOT NULL "),
          {attempt.str(), sql::Number(assignment_version)}));
#undef ASSAY_NEWEST_RUN
  if (found.rows.empty()) return std::nullopt;
  return Read(found.rows.front());
}

Expected<PageOf<RunRecord>> RunTable::List(const RunFilter& filter,
                                           const Page& page) {
#define ASSAY_RUN_PAGE                                  \
  "(queue_time < $3 OR (queue_time = $3 AND id < $4)) " \
  "ORDER BY queue_time DESC, id DESC LIMIT $5"
#define ASSAY_RUN_LIST "SELECT " ASSAY_RUN_COLUMNS " FROM runs WHERE "
  const char* statement = ASSAY_RUN_LIST ASSAY_RUN_PAGE;
  if (!filter.attempt.empty() && !filter.assignment.empty())
    statement =
        ASSAY_RUN_LIST "attempt = $1 AND assignment = $2 AND " ASSAY_RUN_PAGE;
  else if (!filter.attempt.empty())
    statement = ASSAY_RUN_LIST "attempt = $1 AND " ASSAY_RUN_PAGE;
  else if (!filter.assignment.empty())
    statement = ASSAY_RUN_LIST "assignment = $2 AND " ASSAY_RUN_PAGE;
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          statement, {filter.attempt.str(), filter.assignment.str(), after.time,
                      after.id, sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<RunRecord>(found, page, Read, [](const RunRecord& run) {
    return sql::Cursor{ToMicros(run.queue_time), run.id.str()};
  });
}

Expected<std::vector<RunRecord>> RunTable::ListRunning() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT " ASSAY_RUN_COLUMNS
                          " FROM runs WHERE state = 2 ORDER BY lease_expiry"));
  return ReadAll(found);
}

Expected<RunCounts> RunTable::Count() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT "
                          "(SELECT COUNT(*) FROM runs WHERE state = 1), "
                          "(SELECT COUNT(*) FROM runs WHERE state = 2)"));
  const sql::Row& row = found.rows.front();
  return RunCounts{static_cast<std::int32_t>(row.Int(0)),
                   static_cast<std::int32_t>(row.Int(1))};
}

Expected<bool> RunTable::AnyQueued() {
  // In the order of an index, so that nothing else is looked through.
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT id FROM runs WHERE state = 1 "
                          "ORDER BY priority DESC, queue_time, id LIMIT 1"));
  return !found.rows.empty();
}

Expected<std::optional<Clock::TimePoint>> RunTable::NextExpiry() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT MIN(lease_expiry) FROM runs WHERE state = 2"));
  return found.rows.front().MaybeTime(0);
}

}  // namespace assay::storage
