#ifndef ASSAY_SERVICES_CLI_TIME_TEXT_H_
#define ASSAY_SERVICES_CLI_TIME_TEXT_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <string>

namespace assay::cli {

// "2026-11-22 03:14:05 UTC"; "-" for an absent time.
std::string TimeText(const google::protobuf::Timestamp& time);

// Two units at most: "312 us", "42 ms", "1.24 s", "2m 05s", "3h 00m", "7d 4h".
std::string DurationText(std::chrono::nanoseconds duration);
std::string DurationText(const google::protobuf::Duration& duration);

google::protobuf::Duration ToProto(std::chrono::microseconds duration);
std::chrono::nanoseconds FromProto(const google::protobuf::Duration& duration);
std::chrono::nanoseconds FromProto(const google::protobuf::Timestamp& time);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_TIME_TEXT_H_
