#ifndef ASSAY_SERVICES_CLI_BRIEF_LINT_H_
#define ASSAY_SERVICES_CLI_BRIEF_LINT_H_

#include <string>
#include <string_view>
#include <vector>

#include "assay/v1/assignment.pb.h"

namespace assay::cli {

// Something that a brief lacks, which a candidate alone with it will need.
struct BriefGap {
  // "acceptance criteria".
  std::string what;
  // Why it is needed, and what to write.
  std::string advice;
};

// Checks a brief for what asynchronous work needs: system context, contract,
// acceptance criteria, what done looks like, time allowed, what is recorded.
// A part counts as there when a heading names it, or a sentence outside of
// code does; so it is a reminder to the author, not a proof.
std::vector<BriefGap> LintBrief(const v1::AssignmentSpec& spec);

// Markdown's headings and prose in lower case, without code.
struct BriefText {
  std::vector<std::string> headings;
  std::string prose;
  int words = 0;
};
BriefText ReadBrief(std::string_view markdown);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_BRIEF_LINT_H_
