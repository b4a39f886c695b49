#ifndef ASSAY_RUNNER_REPORTS_RUN_WORDS_H_
#define ASSAY_RUNNER_REPORTS_RUN_WORDS_H_

#include <string>
#include <string_view>

#include "assay/v1/run.pb.h"

namespace assay::reports {

// "passed", "timed out".
std::string VerdictText(v1::Verdict verdict);
// "passed", "timed_out": for machines.
std::string VerdictWord(v1::Verdict verdict);
// "completed", "build failed".
std::string OutcomeText(v1::Run::Outcome outcome);

double Seconds(const google::protobuf::Duration& duration);
// "10", "2.5": no zeros that say nothing.
std::string PointsText(double points);

// Characters that XML cannot hold become U+FFFD, and markup is escaped; the
// result fits element texts and quoted attributes of XML and HTML alike.
std::string EscapeMarkup(std::string_view text);

}  // namespace assay::reports

#endif  // ASSAY_RUNNER_REPORTS_RUN_WORDS_H_
