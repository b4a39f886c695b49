#include "services/storage/tables/overview.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

using std::chrono::microseconds;

// Enums stand as literals, so that partial indexes serve the queries.
static_assert(v1::Attempt::STATE_STARTED == 2 &&
              v1::Attempt::STATE_SUBMITTED == 3);
static_assert(v1::Run::KIND_FINAL == 2 && v1::Run::KIND_REGRADE == 3);
static_assert(v1::Run::STATE_QUEUED == 1 && v1::Run::STATE_FINISHED == 3);
static_assert(v1::Run::OUTCOME_ERRORED == 7);
static_assert(v1::Decision::OUTCOME_HOLD == 3);
static_assert(v1::Push::STATE_ACCEPTED == 2);
static_assert(v1::GetHomeResponse::Waiting::KIND_QUESTION == 1 &&
              v1::GetHomeResponse::Waiting::KIND_DECISION == 2 &&
              v1::GetHomeResponse::Waiting::KIND_ERRORED_RUN == 3 &&
              v1::GetHomeResponse::Waiting::KIND_PAUSED_CLOCK == 4 &&
              v1::GetHomeResponse::Waiting::KIND_NOTHING_SUBMITTED == 5);

// The decision on attempt `a` that holds: the last one.
#define ASSAY_LAST_DECISION                  \
  "d.attempt = a.id AND d.number = (SELECT " \
  "MAX(n.number) FROM decisions n WHERE n.attempt = a.id)"

// Attempt `a` handed in a commit. A deadline that finds no push closes the
// attempt too, and leaves a submission of nothing.
#define ASSAY_HANDED_IN                                         \
  "EXISTS (SELECT 1 FROM submissions s WHERE s.attempt = a.id " \
  "AND s.commit_id <> '')"

// No later final run of run `r`'s attempt with `condition`.
#define ASSAY_NO_LATER_FINAL(condition)                               \
  "NOT EXISTS (SELECT 1 FROM runs n WHERE n.attempt = r.attempt AND " \
  "n.kind IN (2, 3) AND " condition                                   \
  " AND (n.queue_time > r.queue_time OR "                             \
  "(n.queue_time = r.queue_time AND n.id > r.id)))"

#define ASSAY_WAITING \
  "SELECT 1 AS kind, q.assignment AS assignment, q.attempt AS attempt, "  \
  "'' AS run, q.ask_time AS since FROM questions q "                      \
  "WHERE q.answer_time IS NULL "                                          \
  "UNION ALL SELECT CASE WHEN " ASSAY_HANDED_IN                           \
  " THEN 2 ELSE 5 END, a.assignment, a.id, '', "                          \
  "COALESCE((SELECT MAX(s.submit_time) FROM submissions s "               \
  "WHERE s.attempt = a.id), a.create_time) FROM attempts a "              \
  "WHERE a.state = 3 AND a.erase_time IS NULL AND NOT EXISTS "            \
  "(SELECT 1 FROM decisions d WHERE " ASSAY_LAST_DECISION                 \
  " AND d.outcome <> 3) "                                                 \
  "UNION ALL SELECT 3, r.assignment, r.attempt, r.id, r.finish_time "     \
  "FROM runs r WHERE r.state = 3 AND r.outcome = 7 AND "                  \
  "r.kind IN (2, 3) AND " ASSAY_NO_LATER_FINAL("n.state <> 4") " "        \
  "UNION ALL SELECT 4, a.assignment, a.id, '', a.pause_time "             \
  "FROM attempts a WHERE a.state = 2 AND a.pause_time IS NOT NULL"

std::int32_t Int32(const sql::Row& row, std::size_t column) {
  return static_cast<std::int32_t>(row.Int(column));
}

std::optional<v1::Score> MaybeScore(const sql::Row& row, std::size_t column) {
  if (row.IsNull(column)) return std::nullopt;
  v1::Score score;
  score.ParseFromString(row.Blob(column));
  return score;
}

CandidateRow ReadCandidate(const sql::Row& row) {
  CandidateRow person;
  person.invitation = InvitationId(row.Text(0));
  person.invitation_state = static_cast<v1::Invitation::State>(row.Int(1));
  person.invite_time = row.Time(2);
  person.expire_time = row.Time(3);
  person.name = row.Text(4);
  person.email = row.Text(5);
  person.accommodation = row.Real(6);
  person.assignment_version = Int32(row, 7);
  person.attempt = AttemptId(row.Text(8));
  if (person.attempt.empty()) return person;
  person.attempt_state = static_cast<v1::Attempt::State>(row.Int(9));
  person.assignment_version = Int32(row, 10);
  person.accommodation = row.Real(11);
  person.start_time = row.MaybeTime(12);
  person.deadline = row.MaybeTime(13);
  person.paused = !row.IsNull(14);
  person.pushes = Int32(row, 15);
  person.submissions = Int32(row, 16);
  person.submit_time = row.MaybeTime(17);
  person.latest_run = RunId(row.Text(18));
  person.final_run = RunId(row.Text(19));
  person.outcome = static_cast<v1::Run::Outcome>(row.Int(20));
  person.score = MaybeScore(row, 21);
  person.decision = static_cast<v1::Decision::Outcome>(row.Int(22));
  person.decide_time = row.MaybeTime(23);
  return person;
}

}  // namespace

Expected<std::vector<FunnelRow>> Overview::Funnels() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT s.id, s.version, v.spec, v.check_count, v.max_points, "
          "(SELECT COUNT(*) FROM invitations i WHERE i.assignment = s.id), "
          "(SELECT COUNT(*) FROM attempts a WHERE a.assignment = s.id "
          "AND a.reference = 0), "
          "(SELECT COUNT(*) FROM attempts a WHERE a.assignment = s.id "
          "AND a.reference = 0 AND a.state >= 2), "
          "(SELECT COUNT(*) FROM attempts a WHERE a.assignment = s.id "
          "AND " ASSAY_HANDED_IN "), "
          "(SELECT COUNT(*) FROM attempts a JOIN decisions d "
          "ON " ASSAY_LAST_DECISION
          " WHERE a.assignment = s.id AND d.outcome <> 3 AND " ASSAY_HANDED_IN
          ") "
          "FROM assignments s JOIN assignment_versions v "
          "ON v.assignment = s.id AND v.version = s.version "
          "ORDER BY s.create_time DESC, s.id LIMIT 500"));
  std::vector<FunnelRow> funnels;
  for (const sql::Row& row : found.rows) {
    FunnelRow& funnel = funnels.emplace_back();
    funnel.assignment = AssignmentId(row.Text(0));
    funnel.version = Int32(row, 1);
    funnel.spec.ParseFromString(row.Blob(2));
    funnel.check_count = Int32(row, 3);
    funnel.max_points = row.Real(4);
    funnel.invited = Int32(row, 5);
    funnel.accepted = Int32(row, 6);
    funnel.started = Int32(row, 7);
    funnel.submitted = Int32(row, 8);
    funnel.decided = Int32(row, 9);
  }
  return funnels;
}

Expected<WaitingRows> Overview::Waiting(std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result count,
      connection_.Execute("SELECT COUNT(*) FROM (" ASSAY_WAITING
                          ") AS waiting"));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT kind, assignment, attempt, run, since "
                          "FROM (" ASSAY_WAITING
                          ") AS waiting ORDER BY since, attempt LIMIT $1",
                          {sql::Number(limit)}));
  WaitingRows rows;
  rows.count = Int32(count.rows.front(), 0);
  for (const sql::Row& row : found.rows)
    rows.longest.push_back(
        {static_cast<v1::GetHomeResponse::Waiting::Kind>(row.Int(0)),
         AssignmentId(row.Text(1)), AttemptId(row.Text(2)), RunId(row.Text(3)),
         row.Time(4)});
  return rows;
}

Expected<std::vector<microseconds>> Overview::RunDurations(std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT start_time, finish_time FROM runs "
                          "WHERE state = 3 AND start_time IS NOT NULL AND "
                          "finish_time IS NOT NULL "
                          "ORDER BY queue_time DESC, id DESC LIMIT $1",
                          {sql::Number(limit)}));
  std::vector<microseconds> durations;
  for (const sql::Row& row : found.rows)
    durations.emplace_back(row.Int(1) - row.Int(0));
  return durations;
}

Expected<PageOf<CandidateRow>> Overview::Candidates(
    const AssignmentId& assignment, const Page& page) {
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT i.id, i.state, i.create_time, i.expire_time, "
          "i.candidate_name, i.candidate_email, i.accommodation, "
          "i.assignment_version, i.attempt, a.state, a.assignment_version, "
          "a.accommodation, a.start_time, a.deadline, a.pause_time, "
          "(SELECT COUNT(*) FROM pushes p WHERE p.attempt = i.attempt "
          "AND p.state = 2), "
          "(SELECT COUNT(*) FROM submissions s WHERE s.attempt = i.attempt "
          "AND s.commit_id <> ''), "
          "(SELECT MAX(s.submit_time) FROM submissions s "
          "WHERE s.attempt = i.attempt AND s.commit_id <> ''), "
          "(SELECT r.id FROM runs r WHERE r.attempt = i.attempt "
          "AND i.attempt <> '' ORDER BY r.queue_time DESC, r.id DESC LIMIT 1), "
          "f.id, f.outcome, f.score, d.outcome, d.decide_time "
          "FROM invitations i LEFT JOIN attempts a ON a.id = i.attempt "
          "LEFT JOIN runs f ON f.id = (SELECT r.id FROM runs r "
          "WHERE r.attempt = a.id AND r.kind IN (2, 3) AND r.state = 3 "
          "ORDER BY r.queue_time DESC, r.id DESC LIMIT 1) "
          "LEFT JOIN decisions d ON " ASSAY_LAST_DECISION
          " WHERE i.assignment = $1 AND "
          "(i.create_time < $2 OR (i.create_time = $2 AND i.id < $3)) "
          "ORDER BY i.create_time DESC, i.id DESC LIMIT $4",
          {assignment.str(), after.time, after.id,
           sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<CandidateRow>(
      found, page, ReadCandidate, [](const CandidateRow& row) {
        return sql::Cursor{ToMicros(row.invite_time), row.invitation.str()};
      });
}

Expected<PageOf<ScoredRow>> Overview::Scored(const AssignmentId& assignment,
                                             std::int32_t version,
                                             const Page& page) {
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT r.id, r.queue_time, r.score, r.epoch FROM runs r "
          "WHERE r.assignment = $1 AND ($2 = 0 OR r.assignment_version = $2) "
          "AND r.kind IN (2, 3) AND r.state = 3 AND r.score IS NOT NULL "
          "AND " ASSAY_NO_LATER_FINAL(
              "n.state = 3 AND n.score IS NOT NULL") " AND (r.queue_time < $3 "
                                                     "OR (r.queue_time = $3 "
                                                     "AND r.id < $4)) "
                                                     "ORDER BY r.queue_time "
                                                     "DESC, r.id DESC LIMIT $5",
          {assignment.str(), sql::Number(version), after.time, after.id,
           sql::Number(sql::PageSize(page) + 1)}));
  auto rows = sql::MakePage<ScoredRow>(
      found, page,
      [](const sql::Row& row) {
        return ScoredRow{
            RunId(row.Text(0)), row.Time(1), *MaybeScore(row, 2), {}};
      },
      [](const ScoredRow& row) {
        return sql::Cursor{ToMicros(row.queue_time), row.run.str()};
      });
  for (std::size_t i = 0; i < rows.items.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(
        const sql::Result results,
        connection_.Execute(
            "SELECT content FROM check_results "
            "WHERE run = $1 AND epoch = $2 ORDER BY sequence",
            {rows.items[i].run.str(), sql::Number(found.rows[i].Int(3))}));
    for (const sql::Row& row : results.rows)
      rows.items[i].results.emplace_back().ParseFromString(row.Blob(0));
  }
  return rows;
}

Expected<std::vector<WaitRow>> Overview::Waits(const AssignmentId& assignment,
                                               std::int32_t version) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT (SELECT MAX(s.submit_time) FROM submissions s "
          "WHERE s.attempt = a.id AND s.commit_id <> ''), "
          "d.outcome, d.decide_time "
          "FROM attempts a LEFT JOIN decisions d ON " ASSAY_LAST_DECISION
          " WHERE a.assignment = $1 AND a.state = 3 AND "
          "($2 = 0 OR a.assignment_version = $2)",
          {assignment.str(), sql::Number(version)}));
  std::vector<WaitRow> waits;
  for (const sql::Row& row : found.rows) {
    // Nothing was ever pushed: nothing to decide upon waits since then.
    if (row.IsNull(0)) continue;
    WaitRow& wait = waits.emplace_back();
    wait.submit_time = row.Time(0);
    if (row.Int(1) != v1::Decision::OUTCOME_HOLD)
      wait.decide_time = row.MaybeTime(2);
  }
  return waits;
}

}  // namespace assay::storage
