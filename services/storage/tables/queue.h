#ifndef ASSAY_SERVICES_STORAGE_TABLES_QUEUE_H_
#define ASSAY_SERVICES_STORAGE_TABLES_QUEUE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"
#include "services/storage/tables/runs.h"

namespace assay::storage {

// A queued run. Those of one assignment that need the same make a lane.
struct QueuedRun {
  RunId run;
  AttemptId attempt;
  AssignmentId assignment;
  v1::Run::Kind kind = v1::Run::KIND_UNSPECIFIED;
  // As FormatNeeds writes them.
  std::string needs;
  Clock::TimePoint queue_time;
};

// The first of a lane that may run.
struct QueueHead {
  RunId run;
  AssignmentId assignment;
  std::string lane;
  std::string needs;
  std::int64_t priority = 0;
  // Runs of the assignment that are under way.
  std::int32_t busy = 0;
  Clock::TimePoint queue_time;
};

// The higher, the earlier.
std::int64_t PriorityOf(v1::Run::Kind kind);
// What stands behind the assignment in a run's lane.
std::string NeedsOfLane(const std::string& lane);

// Whose turn it is: final runs before push runs, before regrades; within a kind
// the assignment with the fewest runs under way, so that none holds the others
// up; within that the order of queueing, also for a run that was queued again.
class QueueTable {
 public:
  explicit QueueTable(sql::Connection& connection) : connection_(connection) {}

  // The heads of all lanes in the order of their turns. A run whose attempt
  // has as many under way as it may is passed over. The cost grows with the
  // number of lanes, not with the queue's length. Where there is one lane
  // only, its head says lane and needs, and no more.
  Expected<std::vector<QueueHead>> ListHeads();
  // How many runs wait for what they need.
  Expected<std::map<std::string, std::int32_t>> CountByNeeds();
  // Queued runs in the order in which they will be leased, as it stands now:
  // as if none that is under way ended.
  Expected<std::vector<QueuedRun>> List(std::int32_t limit);
  // Where a queued run stands in that order, from 0.
  Expected<std::int32_t> Position(const RunRecord& run);

 private:
  Expected<std::map<AssignmentId, std::int32_t>> CountBusy();
  Expected<std::vector<std::string>> ListLanes();
  Expected<std::vector<QueuedRun>> ListLane(const std::string& lane,
                                            std::int32_t limit);
  using Turn = std::pair<Clock::TimePoint, RunId>;
  // The run of these lanes and this priority that has `number` before it.
  Expected<std::optional<Turn>> Nth(const std::vector<std::string>& lanes,
                                    std::int64_t priority, std::int64_t number);

  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_QUEUE_H_
