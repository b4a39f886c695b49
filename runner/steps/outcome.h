#ifndef ASSAY_RUNNER_STEPS_OUTCOME_H_
#define ASSAY_RUNNER_STEPS_OUTCOME_H_

#include <string>
#include <utility>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/check.pb.h"

namespace assay::steps {

// What a step came to. Texts may hold secrets: the sink redacts them.
struct Outcome {
  assay::v1::Verdict verdict = assay::v1::VERDICT_PASSED;
  // One sentence; empty when passed.
  std::string reason;
  // What did not hold, in the suite; unset: the step.
  assay::plan::v1::Position position;

  bool passed() const { return verdict == assay::v1::VERDICT_PASSED; }
};

inline Outcome Failed(std::string reason,
                      assay::plan::v1::Position position = {}) {
  return {assay::v1::VERDICT_FAILED, std::move(reason), std::move(position)};
}
inline Outcome TimedOut(std::string reason) {
  return {assay::v1::VERDICT_TIMED_OUT, std::move(reason), {}};
}
// Ours: not scored, run again.
inline Outcome Errored(std::string reason) {
  return {assay::v1::VERDICT_ERRORED, std::move(reason), {}};
}
inline Outcome Inconclusive(std::string reason) {
  return {assay::v1::VERDICT_INCONCLUSIVE, std::move(reason), {}};
}

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_OUTCOME_H_
