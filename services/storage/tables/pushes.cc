#include "services/storage/tables/pushes.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

constexpr char kSelect[] =
    "SELECT id, attempt, repository, ref, old_commit, new_commit, "
    "receive_time, state, refusal, late, run, subject, commit_time, sequence "
    "FROM pushes ";

PushRecord Read(const sql::Row& row) {
  PushRecord record;
  record.id = PushId(row.Text(0));
  record.attempt = AttemptId(row.Text(1));
  record.repository = RepositoryId(row.Text(2));
  record.ref = row.Text(3);
  record.old_commit = row.Text(4);
  record.new_commit = row.Text(5);
  record.receive_time = row.Time(6);
  record.state = static_cast<v1::Push::State>(row.Int(7));
  record.refusal = row.Text(8);
  record.late = row.Flag(9);
  record.run = RunId(row.Text(10));
  record.subject = row.Text(11);
  record.commit_time = row.MaybeTime(12);
  record.sequence = row.Int(13);
  return record;
}

std::optional<PushRecord> First(const sql::Result& found) {
  if (found.rows.empty()) return std::nullopt;
  return Read(found.rows.front());
}

}  // namespace

Status PushTable::Create(const PushRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO pushes (id, attempt, repository, ref, old_commit, "
      "new_commit, receive_time, state, refusal, late, run, subject, "
      "commit_time, sequence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
      "$11, $12, $13, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM pushes "
      "WHERE attempt = $2))",
      {record.id.str(), record.attempt.str(), record.repository.str(),
       record.ref, record.old_commit, record.new_commit,
       sql::Time(record.receive_time), sql::Number(record.state),
       record.refusal, sql::Flag(record.late), record.run.str(), record.subject,
       sql::Time(record.commit_time)}));
  return {};
}

Expected<PushRecord> PushTable::Get(const PushId& id) {
  static const std::string kGet = std::string(kSelect) + "WHERE id = $1";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kGet, {id.str()}));
  if (found.rows.empty()) return NotFound("there is no push ", id);
  return Read(found.rows.front());
}

Expected<PageOf<PushRecord>> PushTable::List(const AttemptId& attempt,
                                             const Page& page) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE attempt = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Oldest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kList, {attempt.str(), after.time,
                                  sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<PushRecord>(
      found, page, Read, [](const PushRecord& record) {
        return sql::Cursor{record.sequence, record.id.str()};
      });
}

Status PushTable::MarkAccepted(const PushId& id, const RunId& run) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE pushes SET state = $2, run = $3 WHERE id = $1 AND state = $4",
          {id.str(), sql::Number(v1::Push::STATE_ACCEPTED), run.str(),
           sql::Number(v1::Push::STATE_RECEIVED)}));
  if (updated.affected > 0) return {};
  ASSAY_ASSIGN_OR_RETURN(const PushRecord push, Get(id));
  if (push.state == v1::Push::STATE_ACCEPTED) return {};
  return Aborted("push ", id, " was refused before: ", push.refusal);
}

Status PushTable::MarkRefused(const PushId& id, const std::string& refusal) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute("UPDATE pushes SET state = $2, refusal = $3 "
                          "WHERE id = $1 AND state = $4",
                          {id.str(), sql::Number(v1::Push::STATE_REFUSED),
                           refusal, sql::Number(v1::Push::STATE_RECEIVED)}));
  if (updated.affected > 0) return {};
  ASSAY_ASSIGN_OR_RETURN(const PushRecord push, Get(id));
  if (push.state == v1::Push::STATE_REFUSED) return {};
  return Aborted("push ", id, " was accepted before");
}

Status PushTable::Describe(const PushId& id, const std::string& subject,
                           std::optional<Clock::TimePoint> commit_time) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE pushes SET subject = $2, commit_time = $3 WHERE id = $1",
      {id.str(), subject, sql::Time(commit_time)}));
  return {};
}

Expected<std::vector<PushRecord>> PushTable::ListOpen() {
  // `state = 1` stands here in full for the sake of its index.
  static const std::string kList =
      std::string(kSelect) + "WHERE state = 1 ORDER BY attempt, sequence";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found, connection_.Execute(kList));
  std::vector<PushRecord> open;
  for (const sql::Row& row : found.rows) open.push_back(Read(row));
  return open;
}

Expected<bool> PushTable::HasOpen(const AttemptId& attempt,
                                  Clock::TimePoint time) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT 1 FROM pushes WHERE state = 1 AND "
                          "attempt = $1 AND receive_time <= $2 LIMIT 1",
                          {attempt.str(), sql::Time(time)}));
  return !found.rows.empty();
}

Expected<std::optional<PushRecord>> PushTable::LastAccepted(
    const AttemptId& attempt, const std::string& ref, Clock::TimePoint time) {
  static const std::string kLast =
      std::string(kSelect) +
      "WHERE attempt = $1 AND ref = $2 AND receive_time <= $3 AND "
      "state = $4 AND late = 0 ORDER BY sequence DESC LIMIT 1";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kLast, {attempt.str(), ref, sql::Time(time),
                                  sql::Number(v1::Push::STATE_ACCEPTED)}));
  return First(found);
}

Expected<std::optional<PushRecord>> PushTable::FindByCommit(
    const AttemptId& attempt, const std::string& commit,
    const std::string& ref) {
  static const std::string kFind =
      std::string(kSelect) +
      "WHERE attempt = $1 AND new_commit = $2 AND state = $3 AND "
      "($4 = '' OR ref = $4) ORDER BY sequence LIMIT 1";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kFind, {attempt.str(), commit,
                                  sql::Number(v1::Push::STATE_ACCEPTED), ref}));
  return First(found);
}

Expected<bool> PushTable::HasSuccessor(const PushRecord& push) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT 1 FROM pushes WHERE attempt = $1 AND sequence > $2 AND "
          "ref = $3 AND old_commit = $4 AND state = $5 LIMIT 1",
          {push.attempt.str(), push.sequence, push.ref, push.new_commit,
           sql::Number(v1::Push::STATE_ACCEPTED)}));
  return !found.rows.empty();
}

Expected<bool> PushTable::HasLater(const PushRecord& push) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT 1 FROM pushes WHERE attempt = $1 AND "
                          "sequence > $2 AND ref = $3 AND state = $4 LIMIT 1",
                          {push.attempt.str(), push.sequence, push.ref,
                           sql::Number(v1::Push::STATE_ACCEPTED)}));
  return !found.rows.empty();
}

Expected<std::map<std::string, std::string>> PushTable::AcceptedTips(
    const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT ref, new_commit FROM pushes "
          "WHERE attempt = $1 AND state = $2 ORDER BY sequence",
          {attempt.str(), sql::Number(v1::Push::STATE_ACCEPTED)}));
  std::map<std::string, std::string> tips;
  for (const sql::Row& row : found.rows) tips[row.Text(0)] = row.Text(1);
  return tips;
}

Status PushTable::JudgeAgain(const AttemptId& attempt,
                             Clock::TimePoint cut_off) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE pushes SET late = CASE WHEN receive_time > $2 THEN 1 ELSE 0 END "
      "WHERE attempt = $1 AND state <> $3",
      {attempt.str(), sql::Time(cut_off),
       sql::Number(v1::Push::STATE_REFUSED)}));
  return {};
}

Status PushTable::Erase(const AttemptId& attempt) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE pushes SET subject = '' WHERE attempt = $1", {attempt.str()}));
  return {};
}

Expected<std::int32_t> PushTable::CountRunsSince(const AttemptId& attempt,
                                                 Clock::TimePoint since) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT COUNT(*) FROM pushes WHERE attempt = $1 AND "
                          "receive_time > $2 AND run <> ''",
                          {attempt.str(), sql::Time(since)}));
  return static_cast<std::int32_t>(found.rows.front().Int(0));
}

}  // namespace assay::storage
