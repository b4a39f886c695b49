#include "services/cli/time_text.h"

#include <fmt/chrono.h>

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>
#include <stdlib.h>
#include <time.h>

namespace assay::cli {
using std::chrono::nanoseconds;

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(time.seconds())));
}

std::string LocalTimeText(const google::protobuf::Timestamp& time) {
  const auto seconds = static_cast<std::time_t>(time.seconds());
  const std::tm local = fmt::localtime(seconds);
  if (local.tm_gmtoff == 0) return TimeText(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%S %Z} ({:%H:%M:%S} UTC)", local,
                     fmt::gmtime(seconds));
}

std::string ZoneTimeText(const google::protobuf::Timestamp& time,
                         const std::string& zone) {
  const char* const before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TZ", zone.c_str(), 1);
  tzset();
  std::string text = LocalTimeText(time);
  if (before == nullptr)
    unsetenv("TZ");
  else
    setenv("TZ", kept.c_str(), 1);
  tzset();
  return text;
}

std::string DurationText(nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns < 0) return "-" + DurationText(-duration);
  if (ns == 0) return "0 s";
  if (ns < 1'000'000) return fmt::format("{} us", ns / 1000);
  const std::int64_t ms = ns / 1'000'000;
  if (ms < 1000) return fmt::format("{} ms", ms);
  const std::int64_t s = ms / 1000;
  if (s < 60 && ms % 1000 == 0) return fmt::format("{} s", s);
  if (s < 60) return fmt::format("{:.2f} s", static_cast<double>(ms) / 1000);
  if (s < 3600) return fmt::format("{}m {:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h {:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {}h", s / 86400, s / 3600 % 24);
}

std::string DurationText(const google::protobuf::Duration& duration) {
  return DurationText(FromProto(duration));
}

std::string AllowanceText(const google::protobuf::Duration& duration) {
  const nanoseconds span = FromProto(duration);
  return span.count() == 0 ? "none" : DurationText(span);
}

Expected<google::protobuf::Timestamp> ParseTime(std::string_view text) {
  google::protobuf::Timestamp time;
  if (google::protobuf::util::TimeUtil::FromString(std::string(text), &time))
    return time;
  return InvalidArgument("expected a time like 2026-03-01T09:00:00Z, found \"",
                         text, "\"");
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
