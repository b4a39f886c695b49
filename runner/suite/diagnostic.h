#ifndef ASSAY_RUNNER_SUITE_DIAGNOSTIC_H_
#define ASSAY_RUNNER_SUITE_DIAGNOSTIC_H_

#include <compare>
#include <ostream>
#include <string>
#include <vector>

namespace assay::suite {

// Where in a file something stands; counted from 1. Line 0: the whole file.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  auto operator<=>(const Place&) const = default;
};

// One mistake of an author. `message` says what was found, what was expected
// and, where it can be guessed, what was meant.
struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  // Something to look at that does not keep the suite from running.
  bool warning = false;

  // "assay.yaml:41:9: error: unknown key "exepct" in an HTTP step; did you
  // mean "expect"?"
  std::string Text() const;

  auto operator<=>(const Diagnostic&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Diagnostic& diagnostic);

// In the order of their places, at most kMaxDiagnostics of a file, never empty
// where they stand for a failure.
using Diagnostics = std::vector<Diagnostic>;

inline constexpr std::size_t kMaxDiagnostics = 20;

// One line each.
std::string ToText(const Diagnostics& diagnostics);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_DIAGNOSTIC_H_
