#ifndef ASSAY_SERVICES_SCORING_SCORE_H_
#define ASSAY_SERVICES_SCORING_SCORE_H_

#include <span>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/check.pb.h"

namespace assay::scoring {

// Which checks a run was to execute.
enum class Scope { kPublic, kAll };

// What `result` earns of `check`: its points when it passed, a part of them
// when the check or one of its steps gives partial points, nothing when it is
// claimed or was neither. Never more than the cap.
double Earned(const plan::v1::Check& check, const v1::CheckResult& result);

// The score of a run: pure, so that it can be computed again from what is
// stored. A check without a result earns nothing. A check that could not be
// judged through our fault (ERRORED, INCONCLUSIVE) is left out of `earned` and
// `max`, and stands in `unjudged`. Bonus points stand in `bonus` alone.
v1::Score Compute(const plan::v1::Plan& plan,
                  std::span<const v1::CheckResult> results, Scope scope);

}  // namespace assay::scoring

#endif  // ASSAY_SERVICES_SCORING_SCORE_H_
