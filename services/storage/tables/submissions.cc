#include "services/storage/tables/submissions.h"

namespace assay::storage {
namespace {

constexpr char kSelect[] =
    "SELECT attempt, number, commit_id, cause, submit_time, "
    "push_receive_time, run, clock_version, assignment_version, "
    "ai_statement FROM submissions ";

SubmissionRecord Read(const sql::Row& row) {
  SubmissionRecord record;
  record.attempt = AttemptId(row.Text(0));
  record.number = static_cast<std::int32_t>(row.Int(1));
  record.commit = row.Text(2);
  record.cause = static_cast<v1::Submission::Cause>(row.Int(3));
  record.submit_time = row.Time(4);
  record.push_receive_time = row.MaybeTime(5);
  record.run = RunId(row.Text(6));
  record.clock_version = static_cast<std::int32_t>(row.Int(7));
  record.assignment_version = static_cast<std::int32_t>(row.Int(8));
  record.ai_statement = row.Text(9);
  return record;
}

}  // namespace

Expected<std::int32_t> SubmissionTable::NextNumber(const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT COALESCE(MAX(number), 0) + 1 "
                          "FROM submissions WHERE attempt = $1",
                          {attempt.str()}));
  return static_cast<std::int32_t>(found.rows.front().Int(0));
}

Status SubmissionTable::Create(const SubmissionRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO submissions (attempt, number, commit_id, cause, "
      "submit_time, push_receive_time, run, clock_version, "
      "assignment_version, ai_statement) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {record.attempt.str(), sql::Number(record.number), record.commit,
       sql::Number(record.cause), sql::Time(record.submit_time),
       sql::Time(record.push_receive_time), record.run.str(),
       sql::Number(record.clock_version),
       sql::Number(record.assignment_version), record.ai_statement}));
  return {};
}

Expected<SubmissionRecord> SubmissionTable::Get(const AttemptId& attempt,
                                                std::int32_t number) {
  static const std::string kGet =
      std::string(kSelect) + "WHERE attempt = $1 AND number = $2";
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kGet, {attempt.str(), sql::Number(number)}));
  if (found.rows.empty())
    return NotFound("there is no submission ", number, " of attempt ", attempt);
  return Read(found.rows.front());
}

Expected<std::vector<SubmissionRecord>> SubmissionTable::List(
    const AttemptId& attempt) {
  static const std::string kList =
      std::string(kSelect) + "WHERE attempt = $1 ORDER BY number";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kList, {attempt.str()}));
  std::vector<SubmissionRecord> submissions;
  for (const sql::Row& row : found.rows) submissions.push_back(Read(row));
  return submissions;
}

Status SubmissionTable::Erase(const AttemptId& attempt) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE submissions SET ai_statement = '' WHERE attempt = $1",
      {attempt.str()}));
  return {};
}

}  // namespace assay::storage
