#ifndef ASSAY_RUNNER_SUITE_JSONPATH_PARSER_H_
#define ASSAY_RUNNER_SUITE_JSONPATH_PARSER_H_

#include <string_view>

#include "proto/base/error.h"
#include "runner/suite/jsonpath_ast.h"

namespace assay::suite::jsonpath {

// Parses a whole query and checks that its functions are well typed.
// INVALID_ARGUMENT says what is wrong and at which character, from 1.
Expected<Query> ParseQuery(std::string_view text);

}  // namespace assay::suite::jsonpath

#endif  // ASSAY_RUNNER_SUITE_JSONPATH_PARSER_H_
