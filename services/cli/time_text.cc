#include "services/cli/time_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace assay::cli {
using std::chrono::nanoseconds;

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

std::string DurationText(nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns < 0) return "-" + DurationText(-duration);
  if (ns == 0) return "0 s";
  if (ns < 1'000'000) return fmt::format("{} us", ns / 1000);
  const std::int64_t ms = ns / 1'000'000;
  if (ms < 1000) return fmt::format("{} ms", ms);
  const std::int64_t s = ms / 1000;
  if (s < 60) return fmt::format("{:.2f} s", static_cast<double>(ms) / 1000);
  if (s < 3600) return fmt::format("{}m {:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h {:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {}h", s / 86400, s / 3600 % 24);
}

std::string DurationText(const google::protobuf::Duration& duration) {
  return DurationText(FromProto(duration));
}

google::protobuf::Duration ToProto(std::chrono::microseconds duration) {
  google::protobuf::Duration result;
  result.set_seconds(duration.count() / 1'000'000);
  result.set_nanos(static_cast<int>(duration.count() % 1'000'000) * 1000);
  return result;
}

nanoseconds FromProto(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
         nanoseconds(duration.nanos());
}

nanoseconds FromProto(const google::protobuf::Timestamp& time) {
  return std::chrono::seconds(time.seconds()) + nanoseconds(time.nanos());
}

}  // namespace assay::cli
