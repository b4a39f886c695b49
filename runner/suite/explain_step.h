#ifndef ASSAY_RUNNER_SUITE_EXPLAIN_STEP_H_
#define ASSAY_RUNNER_SUITE_EXPLAIN_STEP_H_

#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"

namespace assay::suite {

// What a step sends, expects and remembers, a sentence each. Steps inside of
// it (of a flow, of a burst) are not its own.
std::vector<std::string> StepSentences(const plan::v1::Step& step);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_EXPLAIN_STEP_H_
