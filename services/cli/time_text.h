#ifndef ASSAY_SERVICES_CLI_TIME_TEXT_H_
#define ASSAY_SERVICES_CLI_TIME_TEXT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::cli {

// "2026-11-22 03:14:05 UTC"; "-" for an absent time.
std::string TimeText(const google::protobuf::Timestamp& time);

// The same where clocks are set to the IANA `zone`, and in UTC: "2026-03-01
// 10:00:00 CET (09:00:00 UTC)". Threads: changes TZ for a moment.
std::string ZoneTimeText(const google::protobuf::Timestamp& time,
                         const std::string& zone);
// The same for this machine's zone.
std::string LocalTimeText(const google::protobuf::Timestamp& time);

// Two units at most: "312 us", "42 ms", "1.24 s", "20 s", "2m 05s", "3h 00m",
// "7d 4h".
std::string DurationText(std::chrono::nanoseconds duration);
std::string DurationText(const google::protobuf::Duration& duration);
// The same for what may be allowed: "none" where there is nothing.
std::string AllowanceText(const google::protobuf::Duration& duration);

// RFC 3339: "2026-03-01T09:00:00Z", also with an offset.
Expected<google::protobuf::Timestamp> ParseTime(std::string_view text);

google::protobuf::Duration ToProto(std::chrono::microseconds duration);
std::chrono::nanoseconds FromProto(const google::protobuf::Duration& duration);
std::chrono::nanoseconds FromProto(const google::protobuf::Timestamp& time);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_TIME_TEXT_H_
