#ifndef ASSAY_RUNNER_STEPS_OUTCOME_H_
#define ASSAY_RUNNER_STEPS_OUTCOME_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/check.pb.h"

namespace assay::steps {

// What a step came to. Texts may hold secrets: the sink redacts them.
struct Outcome {
  assay::v1::Verdict verdict = assay::v1::VERDICT_PASSED;
  // One sentence; empty when passed.
  std::string reason = {};
  // What did not hold, in the suite; unset: the step.
  assay::plan::v1::Position position = {};
  // Lines of a small diff, where two values were compared.
  std::string diff = {};
  // What the step was made of (a framework's cases, variants), if anything.
  std::vector<assay::v1::CheckResult::Case> cases = {};
  // What reviewers should know of a step that passed.
  std::string advice = {};
  // Of the step's points, where it earns them by parts.
  std::optional<double> share = std::nullopt;
  // The step says so, and not its check: a load's `partial`.
  bool by_itself = false;

  bool passed() const { return verdict == assay::v1::VERDICT_PASSED; }
};

inline Outcome Failed(std::string reason,
                      assay::plan::v1::Position position = {}) {
  return {.verdict = assay::v1::VERDICT_FAILED,
          .reason = std::move(reason),
          .position = std::move(position)};
}
inline Outcome TimedOut(std::string reason) {
  return {.verdict = assay::v1::VERDICT_TIMED_OUT, .reason = std::move(reason)};
}
// Ours: not scored, run again.
inline Outcome Errored(std::string reason) {
  return {.verdict = assay::v1::VERDICT_ERRORED, .reason = std::move(reason)};
}
inline Outcome Inconclusive(std::string reason) {
  return {.verdict = assay::v1::VERDICT_INCONCLUSIVE,
          .reason = std::move(reason)};
}

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_OUTCOME_H_
