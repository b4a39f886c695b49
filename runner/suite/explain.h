#ifndef ASSAY_RUNNER_SUITE_EXPLAIN_H_
#define ASSAY_RUNNER_SUITE_EXPLAIN_H_

#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"

namespace assay::suite {

// `assay suite explain CHECK`: what a check does, in numbered sentences, with
// flows spelt out; what it is worth and who sees it. Plain text, with the
// position of each step.
// NOT_FOUND: no such check; the nearest id is named.
Expected<std::string> ExplainCheck(const plan::v1::Plan& plan,
                                   std::string_view check_id);

// "status 201; $.id exists; $.total at least 5".
std::string ExpectationText(const plan::v1::Expectation& expectation,
                            std::string_view what);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_EXPLAIN_H_
