#ifndef ASSAY_SERVICES_STORAGE_TABLES_SUBMISSIONS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_SUBMISSIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/submission.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// One commit handed in. Never changed.
struct SubmissionRecord {
  AttemptId attempt;
  std::int32_t number = 0;  // from 1
  std::string commit;       // empty: nothing was ever pushed
  v1::Submission::Cause cause = v1::Submission::CAUSE_UNSPECIFIED;
  Clock::TimePoint submit_time;
  std::optional<Clock::TimePoint> push_receive_time;
  RunId run;
  std::int32_t clock_version = 0;
  std::int32_t assignment_version = 0;
  // What the candidate says about the tools that they used.
  std::string ai_statement;
};

class SubmissionTable {
 public:
  explicit SubmissionTable(sql::Connection& connection)
      : connection_(connection) {}

  // The number that the next submission of `attempt` gets.
  Expected<std::int32_t> NextNumber(const AttemptId& attempt);
  // kAlreadyExists: the number is taken.
  Status Create(const SubmissionRecord& record);
  Expected<SubmissionRecord> Get(const AttemptId& attempt, std::int32_t number);
  // Oldest first.
  Expected<std::vector<SubmissionRecord>> List(const AttemptId& attempt);
  // Takes the candidate's own words away.
  Status Erase(const AttemptId& attempt);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_SUBMISSIONS_H_
