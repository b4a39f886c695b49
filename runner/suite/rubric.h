#ifndef ASSAY_RUNNER_SUITE_RUBRIC_H_
#define ASSAY_RUNNER_SUITE_RUBRIC_H_

#include <array>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "runner/suite/diagnostic.h"

namespace assay::suite {

// One thing that reviewers rate from 1 to 4.
struct Criterion {
  std::string id;
  std::string title;
  double weight = 1;
  // What a 1, 2, 3 and 4 mean.
  std::array<std::string, 4> anchors;
  bool needs_note = false;
};

struct Rubric {
  std::vector<Criterion> criteria;
};

inline constexpr std::string_view kRubricFile = "rubric.yaml";

// Errors: every mistake found, as for suites.
std::expected<Rubric, Diagnostics> ParseRubric(std::string_view text);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_RUBRIC_H_
