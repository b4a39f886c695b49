#ifndef ASSAY_SERVICES_RPC_PROTO_TIME_H_
#define ASSAY_SERVICES_RPC_PROTO_TIME_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include "proto/base/clock.h"

namespace assay::rpc {

// Between the protos' times and ours, which are whole microseconds.

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;

inline google::protobuf::Timestamp ToProto(Clock::TimePoint time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp proto;
  proto.set_seconds(second.time_since_epoch().count());
  proto.set_nanos(static_cast<std::int32_t>((time - second).count() * 1'000));
  return proto;
}

inline google::protobuf::Duration ToProto(std::chrono::microseconds duration) {
  // Seconds and nanos of a Duration have the same sign, as / and % give them.
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / kMicrosPerSecond);
  proto.set_nanos(
      static_cast<std::int32_t>(duration.count() % kMicrosPerSecond * 1'000));
  return proto;
}

inline Clock::TimePoint FromProto(const google::protobuf::Timestamp& proto) {
  return FromMicros(proto.seconds() * kMicrosPerSecond + proto.nanos() / 1'000);
}

inline std::chrono::microseconds FromProto(
    const google::protobuf::Duration& proto) {
  return std::chrono::microseconds(proto.seconds() * kMicrosPerSecond +
                                   proto.nanos() / 1'000);
}

// Whether a Timestamp or Duration from outside fits into ours.
template <class T>
bool InRange(const T& proto) {
  constexpr std::int64_t kMaxSeconds = 253'402'300'799;  // year 9999
  return proto.seconds() >= -kMaxSeconds && proto.seconds() <= kMaxSeconds &&
         proto.nanos() > -1'000'000'000 && proto.nanos() < 1'000'000'000;
}

}  // namespace assay::rpc

#endif  // ASSAY_SERVICES_RPC_PROTO_TIME_H_
