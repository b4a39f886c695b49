#ifndef ASSAY_SERVICES_STORAGE_TABLES_GAUGES_H_
#define ASSAY_SERVICES_STORAGE_TABLES_GAUGES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

struct QueueGauge {
  v1::Run::Kind kind = v1::Run::KIND_UNSPECIFIED;
  std::int64_t runs = 0;
  Clock::TimePoint oldest;
};

// What an operator watches, read from small indexes only: the cost does not
// grow with history.
class Gauges {
 public:
  explicit Gauges(sql::Connection& connection) : connection_(connection) {}

  // Kinds of runs that are queued, and since when the oldest is.
  Expected<std::vector<QueueGauge>> Queues();
  // The earliest cut-off of an attempt that is not frozen yet.
  Expected<std::optional<Clock::TimePoint>> NextCutOff();
  // Messages that wait to be sent.
  Expected<std::int64_t> WaitingNotifications();
  // Final runs that ended through our fault and were never scored.
  Expected<std::int64_t> ErroredRuns();

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_GAUGES_H_
