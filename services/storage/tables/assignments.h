#ifndef ASSAY_SERVICES_STORAGE_TABLES_ASSIGNMENTS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_ASSIGNMENTS_H_

#include <cstdint>
#include <string>

#include "assay/v1/assignment.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// One version of an assignment. Versions are never changed.
struct AssignmentRecord {
  AssignmentId id;  // the slug
  std::int32_t version = 1;
  v1::AssignmentSpec spec;
  // The template's root commit, which also names the store that holds its
  // public closure and nothing else.
  std::string template_commit;
  // Blobs: the compiled plan, and the suite's files as a v1::FileTree.
  std::string plan_digest;
  std::string suite_digest;
  double max_points = 0;
  std::int32_t check_count = 0;
  // What a run of the plan takes: see runs::NeedsOf.
  std::int64_t milli_cpus = 0;
  std::int64_t memory_bytes = 0;
  Clock::TimePoint create_time;  // of version 1
  Clock::TimePoint update_time;  // of this version
};

struct AssignmentCounts {
  std::int32_t invitations = 0;
  std::int32_t attempts = 0;
  std::int32_t submitted = 0;
};

// Assignments and their versions.
class AssignmentTable {
 public:
  explicit AssignmentTable(sql::Connection& connection)
      : connection_(connection) {}

  // kAlreadyExists: the slug is taken.
  Status Create(const AssignmentRecord& record);
  // kAborted: `record.version` is not the current version + 1.
  Status AddVersion(const AssignmentRecord& record);
  // `version` 0: the current one.
  Expected<AssignmentRecord> Get(const AssignmentId& id,
                                 std::int32_t version = 0);
  // Current versions, newest assignment first.
  Expected<PageOf<AssignmentRecord>> List(const Page& page);
  Expected<AssignmentCounts> Count(const AssignmentId& id);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_ASSIGNMENTS_H_
