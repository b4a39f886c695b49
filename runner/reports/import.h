#ifndef ASSAY_RUNNER_REPORTS_IMPORT_H_
#define ASSAY_RUNNER_REPORTS_IMPORT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/error.h"

// Reads what test frameworks write. The bytes come out of a candidate's cell:
// they are hostile, bounded here, and never control anything.
namespace assay::reports {

struct ImportedCase {
  enum class Outcome { kPassed, kSkipped, kFailed, kErrored };

  // "class.method", "parent > child"; never empty.
  std::string name;
  Outcome outcome = Outcome::kPassed;
  // Why it did not pass, at most kMaxMessage bytes.
  std::string message;
  double seconds = 0;
};

struct Imported {
  std::vector<ImportedCase> cases;
  // What the report says of itself, where it counts cases that it does not
  // name; else the number of cases by outcome.
  std::int64_t total = 0;
  std::int64_t passed = 0;
  std::int64_t skipped = 0;
  std::int64_t failed = 0;
  std::int64_t errored = 0;
  // Why the report as a whole is no success though no case failed: "no plan",
  // "bail out: disk full". Empty: nothing.
  std::string problem;

  bool ok() const { return failed + errored == 0 && problem.empty(); }
};

inline constexpr std::size_t kMaxImportBytes = 32 << 20;
inline constexpr std::size_t kMaxCases = 20'000;
inline constexpr std::size_t kMaxMessage = 4000;

// Format by the suite's word: junit, tap, ctrf, gotest. Several files, by name,
// are one report.
// INVALID_ARGUMENT: not of this format; RESOURCE_EXHAUSTED: too large.
Expected<Imported> Import(
    std::string_view format,
    const std::vector<std::pair<std::string, std::string>>& files);

// One file each. Cases of the same name are one case with the worst outcome,
// since frameworks repeat a case that they retry or that is parametrised.
Expected<Imported> ImportJunit(std::string_view xml);
Expected<Imported> ImportCtrf(std::string_view text);
// Lines of `go test -json`; lines that are no JSON are the toolchain's.
Expected<Imported> ImportGoTest(std::string_view text);

// TAP 13 and 14, subtests included. Totals are those of the top level.
struct TapTotals {
  bool ok = true;
  std::int64_t total = 0;
  std::int64_t pass = 0;
  // Failed points, those marked TODO included, and breaches of the protocol.
  std::int64_t fail = 0;
  std::int64_t skip = 0;
  std::int64_t todo = 0;
  bool bailed_out = false;
  std::string bailout_reason;
};
struct TapReport {
  TapTotals totals;
  // Leaves: a point that only closes a subtest is not one.
  std::vector<ImportedCase> cases;
  std::vector<std::string> errors;
};
TapReport ReadTap(std::string_view text);
Expected<Imported> ImportTap(std::string_view text);

}  // namespace assay::reports

#endif  // ASSAY_RUNNER_REPORTS_IMPORT_H_
