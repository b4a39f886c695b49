#include "services/storage/tables/gauges.h"

namespace assay::storage {
namespace {

Expected<std::int64_t> Number(const Expected<sql::Result>& result) {
  if (!result) return std::unexpected(result.error());
  return result->rows.front().Int(0);
}

// States and outcomes stand as literals where an index is meant for them.
static_assert(v1::Run::STATE_QUEUED == 1 && v1::Run::STATE_FINISHED == 3 &&
              v1::Run::OUTCOME_ERRORED == 7);

}  // namespace

Expected<std::vector<QueueGauge>> Gauges::Queues() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute("SELECT kind, COUNT(*), MIN(queue_time) FROM runs "
                          "WHERE state = 1 GROUP BY kind ORDER BY kind"));
  std::vector<QueueGauge> queues;
  for (const sql::Row& row : found.rows)
    queues.push_back(
        {static_cast<v1::Run::Kind>(row.Int(0)), row.Int(1), row.Time(2)});
  return queues;
}

Expected<std::optional<Clock::TimePoint>> Gauges::NextCutOff() {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection_.Execute(
          "SELECT MIN(cut_off_time) FROM attempts WHERE state = 2"));
  return found.rows.front().MaybeTime(0);
}

Expected<std::int64_t> Gauges::WaitingNotifications() {
  return Number(connection_.Execute(
      "SELECT COUNT(*) FROM notifications WHERE state = 1"));
}

Expected<std::int64_t> Gauges::ErroredRuns() {
  return Number(connection_.Execute(
      "SELECT COUNT(*) FROM runs WHERE state = 3 AND outcome = 7"));
}

}  // namespace assay::storage
