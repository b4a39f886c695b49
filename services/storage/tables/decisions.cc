#include "services/storage/tables/decisions.h"

namespace assay::storage {

Status DecisionTable::Create(const DecisionRecord& record) {
  ASSAY_ASSIGN_OR_RETURN(const auto earlier, List(record.attempt));
  const auto last = static_cast<std::int32_t>(earlier.size());
  if (record.number != last + 1)
    return Aborted("attempt ", record.attempt, " has ", last,
                   " decisions, this one follows ", record.number - 1,
                   "; read them again and decide with them in view");
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO decisions (attempt, number, outcome, reason, feedback, "
      "feedback_released, decider, decide_time) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {record.attempt.str(), sql::Number(record.number),
       sql::Number(record.outcome), record.reason, record.feedback,
       sql::Flag(record.feedback_released), record.decider,
       sql::Time(record.decide_time)}));
  return {};
}

Expected<std::vector<DecisionRecord>> DecisionTable::List(
    const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT attempt, number, outcome, reason, feedback, "
          "feedback_released, decider, decide_time FROM decisions "
          "WHERE attempt = $1 ORDER BY number",
          {attempt.str()}));
  std::vector<DecisionRecord> decisions;
  for (const sql::Row& row : found.rows)
    decisions.push_back(
        {AttemptId(row.Text(0)), static_cast<std::int32_t>(row.Int(1)),
         static_cast<v1::Decision::Outcome>(row.Int(2)), row.Text(3),
         row.Text(4), row.Flag(5), row.Text(6), row.Time(7)});
  return decisions;
}

Expected<bool> DecisionTable::IsDecided(const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(const auto decisions, List(attempt));
  return !decisions.empty() &&
         decisions.back().outcome != v1::Decision::OUTCOME_HOLD;
}

}  // namespace assay::storage
