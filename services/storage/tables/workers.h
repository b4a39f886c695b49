#ifndef ASSAY_SERVICES_STORAGE_TABLES_WORKERS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_WORKERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/v1/worker_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"
#include "services/storage/tables/needs.h"

namespace assay::storage {

struct WorkerRecord {
  std::string name;
  v1::Worker::State state = v1::Worker::STATE_ACTIVE;
  std::string reason;
  std::string actor;
  Clock::TimePoint state_time;
  // As it said when it last attached.
  std::string version;
  std::int32_t cores = 0;
  std::int64_t memory_bytes = 0;
  Clock::TimePoint attach_time;
  // Pool and labels of its offer; the rest stands above.
  Needs offer;
  // Runs in a row that ended by its own fault, the last of them, and what was
  // said of it.
  std::int32_t faults = 0;
  RunId fault_run;
  std::string fault;
};

// Machines that execute runs, by the names that they give themselves.
//
// Errors: kNotFound for a name that never attached.
class WorkerTable {
 public:
  explicit WorkerTable(sql::Connection& connection) : connection_(connection) {}

  // Runs that end by its own fault, in a row, that set a worker aside.
  static constexpr std::int32_t kMaxFaults = 3;

  // Takes what a worker says of itself (name, version ... offer are read); its
  // state and faults stay. Answers with the whole record.
  Expected<WorkerRecord> Attach(const WorkerRecord& said);
  Expected<WorkerRecord> SetState(const std::string& name,
                                  v1::Worker::State state,
                                  const std::string& reason,
                                  const std::string& actor,
                                  Clock::TimePoint now);
  // Counts a run that ended by the worker's fault: once, however often the same
  // run does so one after the other, since that may be the run's own doing. The
  // third in a row sets an active worker aside.
  Expected<WorkerRecord> AddFault(const std::string& name, const RunId& run,
                                  const std::string& fault,
                                  Clock::TimePoint now);
  // A run ended otherwise.
  Status ClearFaults(const std::string& name);
  Status Forget(const std::string& name);

  Expected<WorkerRecord> Get(const std::string& name);
  // By name.
  Expected<std::vector<WorkerRecord>> List();

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_WORKERS_H_
