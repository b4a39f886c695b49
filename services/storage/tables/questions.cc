#include "services/storage/tables/questions.h"

#include "services/storage/sql/cursor.h"

namespace assay::storage {
namespace {

constexpr char kSelect[] =
    "SELECT id, attempt, assignment, text, ask_time, answer, answer_time, "
    "shared, paused FROM questions ";

QuestionRecord Read(const sql::Row& row) {
  return {QuestionId(row.Text(0)),
          AttemptId(row.Text(1)),
          AssignmentId(row.Text(2)),
          row.Text(3),
          row.Time(4),
          row.Text(5),
          row.MaybeTime(6),
          row.Flag(7),
          row.Flag(8)};
}

}  // namespace

Status QuestionTable::Create(const QuestionRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO questions (id, attempt, assignment, text, ask_time, "
      "answer, answer_time, shared, paused) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {record.id.str(), record.attempt.str(), record.assignment.str(),
       record.text, sql::Time(record.ask_time), record.answer,
       sql::Time(record.answer_time), sql::Flag(record.shared),
       sql::Flag(record.paused)}));
  return {};
}

Expected<QuestionRecord> QuestionTable::Get(const QuestionId& id) {
  static const std::string kGet = std::string(kSelect) + "WHERE id = $1";
  ASSAY_ASSIGN_OR_RETURN(const sql::Result found,
                         connection_.Execute(kGet, {id.str()}));
  if (found.rows.empty()) return NotFound("there is no question ", id);
  return Read(found.rows.front());
}

Expected<PageOf<QuestionRecord>> QuestionTable::List(
    const QuestionFilter& filter, const Page& page) {
  static const std::string kList =
      std::string(kSelect) +
      "WHERE ($1 = '' OR attempt = $1 OR ($2 = 1 AND shared = 1)) AND "
      "($3 = '' OR assignment = $3) AND "
      "(ask_time > $4 OR (ask_time = $4 AND id > $5)) "
      "ORDER BY ask_time, id LIMIT $6";
  ASSAY_ASSIGN_OR_RETURN(const sql::Cursor after,
                         sql::ParseCursor(page, sql::Oldest()));
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(kList,
                          {filter.attempt.str(), sql::Flag(filter.with_shared),
                           filter.assignment.str(), after.time, after.id,
                           sql::Number(sql::PageSize(page) + 1)}));
  return sql::MakePage<QuestionRecord>(
      found, page, Read, [](const QuestionRecord& record) {
        return sql::Cursor{ToMicros(record.ask_time), record.id.str()};
      });
}

Expected<std::int32_t> QuestionTable::CountWaiting(const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT COUNT(*) FROM questions WHERE attempt = $1 "
                          "AND answer_time IS NULL",
                          {attempt.str()}));
  return static_cast<std::int32_t>(found.rows.front().Int(0));
}

Status QuestionTable::Answer(const QuestionId& id, const std::string& answer,
                             bool shared, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result updated,
      connection_.Execute(
          "UPDATE questions SET answer = $2, shared = $3, "
          "answer_time = $4, paused = 0 "
          "WHERE id = $1 AND answer_time IS NULL",
          {id.str(), answer, sql::Flag(shared), sql::Time(now)}));
  if (updated.affected > 0) return {};
  ASSAY_RETURN_IF_ERROR(Get(id));
  return FailedPrecondition("question ", id, " has an answer already");
}

Status QuestionTable::SetPaused(const QuestionId& id, bool paused) {
  ASSAY_RETURN_IF_ERROR(
      connection_.Execute("UPDATE questions SET paused = $2 WHERE id = $1",
                          {id.str(), sql::Flag(paused)}));
  return {};
}

Status QuestionTable::Erase(const AttemptId& attempt) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "DELETE FROM questions WHERE attempt = $1 AND shared = 0",
      {attempt.str()}));
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "UPDATE questions SET text = '' WHERE attempt = $1", {attempt.str()}));
  return {};
}

}  // namespace assay::storage
