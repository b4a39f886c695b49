#ifndef ASSAY_RUNNER_STEPS_MUTANTS_STEP_H_
#define ASSAY_RUNNER_STEPS_MUTANTS_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"

namespace assay::steps {

// Runs the candidate's tests against the reference, which they must pass, and
// against every variant. Its share is that of the variants that are caught.
//
// Tests that fail because they know that they have run before, or at what time,
// would catch everything: each run has a fresh copy of the repository, and the
// reference comes again somewhere among the variants.
boost::asio::awaitable<Outcome> RunMutantsStep(
    const assay::plan::v1::MutantsStep& step, const Frame& frame,
    Surroundings& surroundings);

// The order of the runs after the first, which is the reference: every variant
// once and kReference once, decided by `seed`.
inline constexpr int kReference = -1;
std::vector<int> OrderOfRuns(int variants, std::uint64_t seed);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_MUTANTS_STEP_H_
