#ifndef ASSAY_RUNNER_SUITE_UNITS_H_
#define ASSAY_RUNNER_SUITE_UNITS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::suite {

// Quantities as suites write them: a decimal number and a unit, no space. The
// unit is mandatory, so that nobody has to remember a default.
//
// Errors: INVALID_ARGUMENT, "expected a duration with its unit, like 80ms..."

// us, ms, s, m, h, d; several may follow each other: 1m30s. At most a year.
Expected<std::chrono::microseconds> ParseDuration(std::string_view text);
// B, KiB, MiB, GiB, kB, MB, GB. In bytes.
Expected<std::int64_t> ParseSize(std::string_view text);
// 64KiB/s; in bytes a second.
Expected<std::int64_t> ParseBandwidth(std::string_view text);
// 200/s, 30/m, 100/h; in events a second.
Expected<double> ParseRate(std::string_view text);
// 0.1%; as a fraction.
Expected<double> ParsePercentage(std::string_view text);

// "80ms", "1.5s", "2m": three significant digits, for messages.
std::string DurationText(std::chrono::microseconds duration);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_UNITS_H_
