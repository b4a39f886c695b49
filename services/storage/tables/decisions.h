#ifndef ASSAY_SERVICES_STORAGE_TABLES_DECISIONS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_DECISIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/v1/decision.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

struct DecisionRecord {
  AttemptId attempt;
  std::int32_t number = 0;  // from 1
  v1::Decision::Outcome outcome = v1::Decision::OUTCOME_UNSPECIFIED;
  std::string reason;
  std::string feedback;
  bool feedback_released = false;
  std::string decider;
  Clock::TimePoint decide_time;
};

// Decisions on attempts: append-only, the last one holds.
class DecisionTable {
 public:
  explicit DecisionTable(sql::Connection& connection)
      : connection_(connection) {}

  // kAborted: `record.number` is not the last one + 1.
  Status Create(const DecisionRecord& record);
  // Oldest first.
  Expected<std::vector<DecisionRecord>> List(const AttemptId& attempt);
  // Whether the last decision is one that reveals (any but HOLD).
  Expected<bool> IsDecided(const AttemptId& attempt);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_DECISIONS_H_
