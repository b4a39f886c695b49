#ifndef ASSAY_SERVICES_CLI_ATTEMPT_VIEW_H_
#define ASSAY_SERVICES_CLI_ATTEMPT_VIEW_H_

#include <string>
#include <vector>

#include "assay/v1/attempt.pb.h"
#include "services/cli/context.h"

namespace assay::cli {

std::string StateText(v1::Attempt::State state);
// "1h 20m", "paused", "over"; empty before the start.
std::string TimeLeft(const v1::AttemptClock& clock);
// What an assignment allows, one sentence for each.
std::vector<std::string> RuleLines(const v1::AttemptRules& rules,
                                   const v1::AttemptClock& clock);

// Prints an attempt as the answer of a command.
Outcome ShowAttempt(Context& context, const v1::Attempt& attempt);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_ATTEMPT_VIEW_H_
