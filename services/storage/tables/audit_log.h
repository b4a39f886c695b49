#ifndef ASSAY_SERVICES_STORAGE_TABLES_AUDIT_LOG_H_
#define ASSAY_SERVICES_STORAGE_TABLES_AUDIT_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// Something that somebody did. Append fills sequence and hashes.
struct AuditRecord {
  std::int64_t sequence = 0;  // from 1, without gaps
  Clock::TimePoint time;
  std::string actor;    // a token's label, or "system"
  std::string action;   // "attempt.extend"
  std::string subject;  // resource name
  std::string detail;   // a sentence; never a secret
  std::string previous_hash;
  // SHA-256 over all of the above.
  std::string hash;
};

// What was done by whom: append-only, each record chained to the one before.
class AuditLog {
 public:
  explicit AuditLog(sql::Connection& connection) : connection_(connection) {}

  Status Append(AuditRecord record);
  // In order, at most `limit`, with sequences above `after`.
  Expected<std::vector<AuditRecord>> List(std::int64_t after,
                                          std::int32_t limit);
  // kDataLoss: names the first record that does not follow from the one
  // before. Answers with the number of records.
  Expected<std::int64_t> Verify();

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_AUDIT_LOG_H_
