#ifndef ASSAY_SERVICES_CLI_SECRET_INPUT_H_
#define ASSAY_SERVICES_CLI_SECRET_INPUT_H_

#include <string>

#include "proto/base/error.h"

namespace assay::cli {

// A password from `file`'s first line ("-": standard input's), or typed twice
// on the terminal without being shown; empty where there is neither.
// kInvalidArgument: the two differ, or the file cannot be read.
Expected<std::string> ReadPassword(const std::string& file);

// The first two lines of `file` ("-": standard input), a current password and
// the new one, or both asked for on the terminal without being shown.
// kInvalidArgument: one is missing, the repeat differs, or there is neither.
struct PasswordChange {
  std::string current;
  std::string next;
};
Expected<PasswordChange> ReadPasswordChange(const std::string& file);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SECRET_INPUT_H_
