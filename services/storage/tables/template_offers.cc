#include "services/storage/tables/template_offers.h"

namespace assay::storage {

Status TemplateOfferTable::Put(const TemplateOfferRecord& record) {
  ASSAY_RETURN_IF_ERROR(connection_.Execute(
      "INSERT INTO template_offers (attempt, version, branch, commit_id, "
      "offer_time) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (attempt, version) DO NOTHING",
      {record.attempt.str(), sql::Number(record.version), record.branch,
       record.commit, sql::Time(record.offer_time)}));
  return {};
}

Expected<std::vector<TemplateOfferRecord>> TemplateOfferTable::List(
    const AttemptId& attempt) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT attempt, version, branch, commit_id, "
                          "offer_time FROM template_offers "
                          "WHERE attempt = $1 ORDER BY version",
                          {attempt.str()}));
  std::vector<TemplateOfferRecord> offers;
  for (const sql::Row& row : found.rows)
    offers.push_back({AttemptId(row.Text(0)),
                      static_cast<std::int32_t>(row.Int(1)), row.Text(2),
                      row.Text(3), row.Time(4)});
  return offers;
}

}  // namespace assay::storage
