#include "services/storage/tables/audit_log.h"

#include <initializer_list>
#include <string_view>

#include "proto/base/digest.h"

namespace assay::storage {
namespace {

// Each part with its length, so that no two records read the same.
std::string HashOf(const AuditRecord& record) {
  std::string text;
  for (const std::string_view part :
       {std::string_view(record.previous_hash), std::string_view(record.actor),
        std::string_view(record.action), std::string_view(record.subject),
        std::string_view(record.detail)}) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  text += std::to_string(record.sequence);
  text += '@';
  text += std::to_string(ToMicros(record.time));
  return Sha256Hex(text);
}

}  // namespace

Status AuditLog::Append(AuditRecord record) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result last,
      connection_.Execute("SELECT sequence, hash FROM audit_log "
                          "ORDER BY sequence DESC LIMIT 1"));
  record.sequence = last.rows.empty() ? 1 : last.rows.front().Int(0) + 1;
  record.previous_hash = last.rows.empty() ? "" : last.rows.front().Text(1);
  record.hash = HashOf(record);
  return connection_.Post(
      "INSERT INTO audit_log (sequence, time, actor, action, subject, detail, "
      "previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {record.sequence, sql::Time(record.time), record.actor, record.action,
       record.subject, record.detail, record.previous_hash, record.hash});
}

Expected<std::vector<AuditRecord>> AuditLog::List(std::int64_t after,
                                                  std::int32_t limit) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT sequence, time, actor, action, subject, detail, "
          "previous_hash, hash FROM audit_log WHERE sequence > $1 "
          "ORDER BY sequence LIMIT $2",
          {after, sql::Number(limit)}));
  std::vector<AuditRecord> records;
  for (const sql::Row& row : found.rows)
    records.push_back({row.Int(0), row.Time(1), row.Text(2), row.Text(3),
                       row.Text(4), row.Text(5), row.Text(6), row.Text(7)});
  return records;
}

Expected<std::int64_t> AuditLog::Verify() {
  constexpr std::int32_t kBatch = 1'000;
  std::int64_t count = 0;
  std::string previous;
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const auto records, List(count, kBatch));
    if (records.empty()) return count;
    for (const AuditRecord& record : records) {
      ++count;
      if (record.sequence != count || record.previous_hash != previous ||
          record.hash != HashOf(record))
        return DataLoss("audit record ", record.sequence,
                        " does not follow from the one before: the log was "
                        "changed or cut");
      previous = record.hash;
    }
  }
}

}  // namespace assay::storage
