#include "runner/suite/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

namespace assay::suite {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 6> kDurations = {{{"us", 1},
                                             {"ms", 1e3},
                                             {"s", 1e6},
                                             {"m", 60e6},
                                             {"h", 3600e6},
                                             {"d", 86400e6}}};
constexpr std::array<Unit, 7> kSizes = {{{"B", 1},
                                         {"KiB", 1024},
                                         {"MiB", 1024.0 * 1024},
                                         {"GiB", 1024.0 * 1024 * 1024},
                                         {"kB", 1e3},
                                         {"MB", 1e6},
                                         {"GB", 1e9}}};
constexpr std::array<Unit, 3> kRates = {
    {{"/s", 1}, {"/m", 1.0 / 60}, {"/h", 1.0 / 3600}}};

// Takes a number such as 1, 0.5 or 20 off the front.
std::optional<double> TakeNumber(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() &&
         ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) {
    ++end;
  }
  double value = 0;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + end, value);
  if (error != std::errc() || rest != text.data() + end) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

// The unit's letters up to the next digit.
const Unit* TakeUnit(std::string_view& text, std::span<const Unit> units) {
  std::size_t end = 0;
  while (end < text.size() && !(text[end] >= '0' && text[end] <= '9')) ++end;
  for (const Unit& unit : units) {
    if (text.substr(0, end) != unit.name) continue;
    text.remove_prefix(end);
    return &unit;
  }
  return nullptr;
}

std::unexpected<Error> Expect(std::string_view kind, std::string_view text) {
  return InvalidArgument("expected ", kind, ", found \"", text, "\"");
}

std::optional<double> One(std::string_view text, std::span<const Unit> units) {
  const std::optional<double> number = TakeNumber(text);
  if (!number) return std::nullopt;
  const Unit* unit = TakeUnit(text, units);
  if (unit == nullptr || !text.empty()) return std::nullopt;
  return *number * unit->factor;
}

constexpr double kYear = 366 * 86400e6;
// Above 2^53 doubles are no longer exact.
constexpr double kMaxSize = 9e15;

}  // namespace

Expected<std::chrono::microseconds> ParseDuration(std::string_view text) {
  const auto wrong = Expect(
      "a duration with its unit (us, ms, s, m, h, d), like 80ms or 1m30s",
      text);
  std::string_view rest = text;
  double sum = 0;
  do {
    const std::optional<double> number = TakeNumber(rest);
    if (!number) return wrong;
    const Unit* unit = TakeUnit(rest, kDurations);
    if (unit == nullptr) return wrong;
    sum += *number * unit->factor;
  } while (!rest.empty());
  if (sum > kYear)
    return InvalidArgument("the duration ", text,
                           " is too long: expected at most 366d");
  return std::chrono::microseconds(std::llround(sum));
}

Expected<std::int64_t> ParseSize(std::string_view text) {
  const std::optional<double> size = One(text, kSizes);
  if (!size) {
    return Expect(
        "a size with its unit (B, KiB, MiB, GiB, kB, MB, GB), like "
        "64MiB",
        text);
  }
  if (*size > kMaxSize)
    return InvalidArgument("the size ", text, " is too big");
  return std::llround(*size);
}

Expected<std::int64_t> ParseBandwidth(std::string_view text) {
  const auto wrong = Expect("a bandwidth, like 64KiB/s", text);
  if (!text.ends_with("/s")) return wrong;
  const auto size = ParseSize(text.substr(0, text.size() - 2));
  if (!size || *size < 1) return wrong;
  return *size;
}

Expected<double> ParseRate(std::string_view text) {
  const std::optional<double> rate = One(text, kRates);
  if (!rate)
    return Expect("a rate with its unit (/s, /m, /h), like 200/s", text);
  return *rate;
}

Expected<double> ParsePercentage(std::string_view text) {
  std::string_view rest = text;
  const std::optional<double> number = TakeNumber(rest);
  if (!number || rest != "%") return Expect("a percentage, like 0.1%", text);
  return *number / 100;
}

std::string DurationText(std::chrono::microseconds duration) {
  const double us = static_cast<double>(duration.count());
  const auto format = [](double value, const char* unit) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.3g%s", value, unit);
    return std::string(buffer);
  };
  if (us < 1e3) return std::to_string(duration.count()) + "us";
  if (us < 999.5e3) return format(us / 1e3, "ms");
  if (us < 120e6) return format(us / 1e6, "s");
  if (us < 7200e6) return format(us / 60e6, "m");
  return format(us / 3600e6, "h");
}

}  // namespace assay::suite
