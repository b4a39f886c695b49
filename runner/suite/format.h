#ifndef ASSAY_RUNNER_SUITE_FORMAT_H_
#define ASSAY_RUNNER_SUITE_FORMAT_H_

#include <expected>
#include <string>
#include <string_view>

#include "runner/suite/diagnostic.h"

namespace assay::suite {

// `assay suite fmt`: spaces only, so that comments and an author's line breaks
// stay. No blanks at line ends, no tabs, one newline at the end, at most one
// empty line in a row, one before each part and each check, one blank in front
// of a comment's text. What would change a value is left as it is.
//
// Errors: the text is not YAML.
std::expected<std::string, Diagnostics> FormatSuite(std::string_view text);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_FORMAT_H_
