#ifndef ASSAY_RUNNER_ASSERTIONS_FAILURE_H_
#define ASSAY_RUNNER_ASSERTIONS_FAILURE_H_

#include <string>

#include "assay/plan/v1/plan.pb.h"

namespace assay::assertions {

// An expectation that did not hold. Texts may hold secrets and candidates'
// bytes: they pass the redactor before they leave the run.
struct Failure {
  // "expected status 201, got 500", "expected $.total_cents to equal 2598, got
  // 2600 at $['total_cents']". One line, at most ~500 characters, no period.
  std::string sentence;
  // Where in the answer: a normalised path, a header's name; may be empty.
  std::string where;
  // Lines of a small diff, "- " expected and "+ " actual; may be empty.
  std::string diff;
  // Of the expectation in the suite.
  plan::v1::Position position;
};

}  // namespace assay::assertions

#endif  // ASSAY_RUNNER_ASSERTIONS_FAILURE_H_
