#include "services/storage/tables/attempts.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

using std::chrono::microseconds;

constexpr char kSelect[] =
    "SELECT id, invitation, assignment, assignment_version, state, "
    "candidate_name, candidate_email, repository, create_time, start_time, "
    "duration, accommodation, paused, extended, grace, hard_close_time, "
    "pause_time, deadline, cut_off_time, clock_version, erase_time, reference "
    "FROM attempts ";

AttemptRecord Read(const sql::Row& row) {
  AttemptRecord record;
  record.id = AttemptId(row.Text(0));
  record.invitation = InvitationId(row.Text(1));
  record.assignment = AssignmentId(row.Text(2));
  record.assignment_version = static_cast<std::int32_t>(row.Int(3));
  record.state = static_cast<v1::Attempt::State>(row.Int(4));
  record.candidate_name = row.Text(5);
  record.candidate_email = row.Text(6);
  record.repository = RepositoryId(row.Text(7));
  record.create_time = row.Time(8);
  ClockRecord& clock = record.clock;
  clock.start_time = row.MaybeTime(9);
  clock.duration = microseconds(row.Int(10));
  clock.accommodation = row.Real(11);
  clock.paused = microseconds(row.Int(12));
  clock.extended = microseconds(row.Int(13));
  clock.grace = microseconds(row.Int(14));
  clock.hard_close_time = row.MaybeTime(15);
  clock.pause_time = row.MaybeTime(16);
  clock.deadline = row.MaybeTime(17);
  clock.cut_off_time = row.MaybeTime(18);
  clock.version = static_cast<std::int32_t>(row.Int(19));
  record.erase_time = row.MaybeTime(20);
  record.reference = row.Flag(21);
  return record;
}

Expected<AttemptRecord> One(Expected<sql::Result> found,
                            const std::string& name) {
  if (!found) return std::unexpected(std::move(found).error());
  if (found->rows.empty()) return NotFound("there is no attempt ", name);
  return Read(found->rows.front());
}

// How many attempts of `result` were changed: none means a lost race.
Status Changed(const Expected<sql::Result>& result, const AttemptId& id,
               const char* expected) {
  if (!result) return std::unexpected(result.error());
  if (result->affected == 0)
    return Aborted("attempt ", id, " is not ", expected,
                   " any more; read it again");
  return {};
}

}  // namespace

Status AttemptTable::Create(const AttemptRecord& record) {
  const ClockRecord& clock = record.clock;
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO attempts (id, invitation, assignment, assignment_version, "
      "state, candidate_name, candidate_email, repository, create_time, "
      "start_time, duration, accommodation, paused, extended, grace, "
      "hard_close_time, pause_time, deadline, cut_off_time, clock_version, "
      "reference) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
      "$15, $16, $17, $18, $19, $20, $21)",
      {record.id.str(),
       record.invitation.str(),
       record.assignment.str(),
       sql::Number(record.assignment_version),
       sql::Number(record.state),
       record.candidate_name,
       record.candidate_email,
       record.repository.str(),
       sql::Time(record.create_time),
       sql::Time(clock.start_time),
       clock.duration.count(),
       clock.accommodation,
       clock.paused.count(),
       clock.extended.count(),
       clock.grace.count(),
       sql::Time(clock.hard_close_time),
       sql::Time(clock.pause_time),
       sql::Time(clock.deadline),
       sql::Time(clock.cut_off_time),
       sql::Number(clock.version),
       sql::Flag(record.reference)}));
  return {};
}

Expected<AttemptRecord> AttemptTable::Get(const AttemptId& id) {
  static const std::string kGet = std::string(kSelect) + "WHERE id = $1";
  return One(connection_.Execute(kGet, {id.str()}), id.str());
}

Expected<AttemptRecord> AttemptTable::GetByRepository(
    const RepositoryId& repository) {
  static const std::string kGet =
      std::string(kSelect) + "WHERE repository = $1 AND repository <> ''";
  return One(connection_.Execute(kGet, {repository.str()}),
             "with repository " + repository.str());
}

Expected<std::optional<AttemptRecord>> AttemptTable::FindReference(
    const AssignmentId& assignment) {
  static const std::string kFind =
      std::string(kSelect) + "WHERE assignment = $1 AND reference = 1";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kFind, {assignment.str()}));
  if (found.rows.empty()) return std::nullopt;
  return Read(found.rows.front());
}

Expected<PageOf<AttemptRecord>> AttemptTable::List(
    const AssignmentId& assignment, const Page& page) {
  static const std::string kAll =
      std::string(kSelect) +
      "WHERE reference = 0 AND "
      "(create_time < $2 OR (create_time = $2 AND id < $3)) "
      "ORDER BY create_time DESC, id DESC LIMIT $4";
  static const std::string kOfAssignment =
      std::string(kSelect) +
      "WHERE assignment = $1 AND reference = 0 AND "
      "(create_time < $2 OR (create_time = $2 AND id < $3)) "
      "ORDER BY create_time DESC, id DESC LIMIT $4";
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Newest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(assignment.empty() ? kAll : kOfAssignment,
                          {assignment.str(), after.time, after.id,
                           sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<AttemptRecord>(
      found, page, Read, [](const AttemptRecord& record) {
        return sql::Cursor{ToMicros(record.create_time), record.id.str()};
      });
}

Expected<AttemptCounts> AttemptTable::Count(const AttemptId& id) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT "
          "(SELECT COUNT(*) FROM pushes WHERE attempt = $1 AND state = $2), "
          "(SELECT COUNT(*) FROM submissions WHERE attempt = $1), "
          "(SELECT id FROM runs WHERE attempt = $1 "
          " ORDER BY queue_time DESC, id DESC LIMIT 1)",
          {id.str(), sql::Number(v1::Push::STATE_ACCEPTED)}));
  const sql::Row& row = found.rows.front();
  return AttemptCounts{static_cast<std::int32_t>(row.Int(0)),
                       static_cast<std::int32_t>(row.Int(1)),
                       RunId(row.Text(2))};
}

Status AttemptTable::MarkStarted(const AttemptId& id,
                                 const RepositoryId& repository,
                                 std::int32_t assignment_version) {
  return Changed(connection_.Execute(
                     "UPDATE attempts SET state = $2, repository = $3, "
                     "assignment_version = $4 WHERE id = $1 AND state = $5",
                     {id.str(), sql::Number(v1::Attempt::STATE_STARTED),
                      repository.str(), sql::Number(assignment_version),
                      sql::Number(v1::Attempt::STATE_ACCEPTED)}),
                 id, "waiting for its start");
}

Status AttemptTable::MarkSubmitted(const AttemptId& id,
                                   std::int32_t clock_version) {
  return Changed(
      connection_.Execute(
          "UPDATE attempts SET state = $2 WHERE id = $1 AND state = $3 AND "
          "clock_version = $4",
          {id.str(), sql::Number(v1::Attempt::STATE_SUBMITTED),
           sql::Number(v1::Attempt::STATE_STARTED),
           sql::Number(clock_version)}),
      id, "running by this clock");
}

Status AttemptTable::MarkReopened(const AttemptId& id) {
  return Changed(
      connection_.Execute(
          "UPDATE attempts SET state = $2 WHERE id = $1 AND state = $3",
          {id.str(), sql::Number(v1::Attempt::STATE_STARTED),
           sql::Number(v1::Attempt::STATE_SUBMITTED)}),
      id, "submitted");
}

Status AttemptTable::ChangeClock(const AttemptId& id, const ClockRecord& clock,
                                 const ClockEventRecord& event) {
  const auto updated = connection_.Execute(
      "UPDATE attempts SET start_time = $2, duration = $3, "
      "accommodation = $4, paused = $5, extended = $6, grace = $7, "
      "hard_close_time = $8, pause_time = $9, deadline = $10, "
      "cut_off_time = $11, clock_version = $12 "
      "WHERE id = $1 AND clock_version = $13",
      {id.str(), sql::Time(clock.start_time), clock.duration.count(),
       clock.accommodation, clock.paused.count(), clock.extended.count(),
       clock.grace.count(), sql::Time(clock.hard_close_time),
       sql::Time(clock.pause_time), sql::Time(clock.deadline),
       sql::Time(clock.cut_off_time), sql::Number(clock.version),
       sql::Number(clock.version - 1)});
  ASSAY_RETURN_IF_ERROR(Changed(updated, id, "at this version of its clock"));
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO clock_events (attempt, version, time, kind, amount, actor, "
      "reason) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {id.str(), sql::Number(clock.version), sql::Time(event.time), event.kind,
       event.amount.count(), event.actor, event.reason}));
  return {};
}

Expected<std::vector<ClockEventRecord>> AttemptTable::ListClockEvents(
    const AttemptId& id) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT version, time, kind, amount, actor, reason "
                          "FROM clock_events WHERE attempt = $1 "
                          "ORDER BY version",
                          {id.str()}));
  std::vector<ClockEventRecord> events;
  for (const sql::Row& row : found.rows)
    events.push_back({static_cast<std::int32_t>(row.Int(0)), row.Time(1),
                      row.Text(2), microseconds(row.Int(3)), row.Text(4),
                      row.Text(5)});
  return events;
}

Expected<std::vector<AttemptRecord>> AttemptTable::ListActiveDuring(
    const AssignmentId& assignment, Clock::TimePoint from,
    Clock::TimePoint to) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE reference = 0 AND start_time < $3 AND "
      "(cut_off_time IS NULL OR cut_off_time > $2) AND "
      "($1 = '' OR assignment = $1) ORDER BY create_time, id";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kList,
                          {assignment.str(), sql::Time(from), sql::Time(to)}));
  std::vector<AttemptRecord> attempts;
  for (const sql::Row& row : found.rows) attempts.push_back(Read(row));
  return attempts;
}

Status AttemptTable::Erase(const AttemptId& id, Clock::TimePoint now) {
  return Changed(connection_.Execute("UPDATE attempts SET candidate_name = '', "
                                     "candidate_email = '', repository = '', "
                                     "erase_time = COALESCE(erase_time, $2) "
                                     "WHERE id = $1",
                                     {id.str(), sql::Time(now)}),
                 id, "there");
}

Expected<std::vector<AttemptRecord>> AttemptTable::ListPastCutOff(
    Clock::TimePoint now, std::int32_t limit, const std::string& node,
    Clock::TimePoint heard_since) {
  // `state = 2` stands here in full, because only then is the index of started
  // attempts of use.
  static const std::string kList = std::string(kSelect) +
                                   "WHERE state = 2 AND cut_off_time <= $1 "
                                   "AND NOT EXISTS (SELECT 1 FROM nodes "
                                   "WHERE name <> $3 AND heartbeat > $4 "
                                   "AND name = (SELECT r.home FROM "
                                   "repositories AS r "
                                   "WHERE r.id = attempts.repository)) "
                                   "ORDER BY cut_off_time, id LIMIT $2";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kList, {sql::Time(now), sql::Number(limit), node,
                                  sql::Time(heard_since)}));
  std::vector<AttemptRecord> attempts;
  for (const sql::Row& row : found.rows) attempts.push_back(Read(row));
  return attempts;
}

Expected<std::vector<AttemptRecord>> AttemptTable::ListDeadlines(
    Clock::TimePoint now, Clock::TimePoint until) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE state = 2 AND deadline > $1 AND deadline <= $2 ORDER BY deadline";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kList, {sql::Time(now), sql::Time(until)}));
  std::vector<AttemptRecord> records;
  for (const sql::Row& row : found.rows) records.push_back(Read(row));
  return records;
}

Expected<std::vector<AttemptRecord>> AttemptTable::ListRunning(
    const AssignmentId& assignment) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE assignment = $1 AND state = 2 AND reference = 0 "
      "ORDER BY create_time, id";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kList, {assignment.str()}));
  std::vector<AttemptRecord> records;
  for (const sql::Row& row : found.rows) records.push_back(Read(row));
  return records;
}

Status AttemptTable::MoveTo(const AttemptId& id,
                            std::int32_t assignment_version) {
  return Changed(
      connection_.Execute("UPDATE attempts SET assignment_version = $2 "
                          "WHERE id = $1 AND state = 2",
                          {id.str(), sql::Number(assignment_version)}),
      id, "running");
}

Expected<std::optional<Clock::TimePoint>> AttemptTable::NextCutOff(
    Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT MIN(cut_off_time) FROM attempts "
                          "WHERE state = 2 AND cut_off_time > $1",
                          {sql::Time(now)}));
  return found.rows.front().MaybeTime(0);
}

}  // namespace assay::storage
