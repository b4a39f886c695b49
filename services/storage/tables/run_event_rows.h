#ifndef ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_

#include <google/protobuf/timestamp.pb.h>

#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// Stores an event whose sequence and epoch are set. Of this folder only: the
// sequence was reserved by an UPDATE of the run's row.
Status InsertRunEvent(sql::Connection& connection, const RunId& run,
                      const v1::RunEvent& event);

// The protos' form of a time.
inline void SetTimestamp(Clock::TimePoint time,
                         google::protobuf::Timestamp& to) {
  constexpr std::int64_t kMicros = 1'000'000;
  const std::int64_t micros = ToMicros(time);
  std::int64_t seconds = micros / kMicros;
  std::int64_t rest = micros % kMicros;
  if (rest < 0) {
    rest += kMicros;
    --seconds;
  }
  to.set_seconds(seconds);
  to.set_nanos(static_cast<std::int32_t>(rest * 1'000));
}

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENT_ROWS_H_
