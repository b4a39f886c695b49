#ifndef ASSAY_SERVICES_CLI_CONFIRM_H_
#define ASSAY_SERVICES_CLI_CONFIRM_H_

#include <string>

#include "proto/base/error.h"

namespace assay::cli {

enum class WithoutTerminal {
  // A script that calls the command means it.
  kGoAhead,
  // What cannot be undone needs --yes in a script.
  kRefuse,
};

// Asks on the terminal and reads "yes"; `yes` (--yes) has answered already.
// kFailedPrecondition: the answer was another one. kInvalidArgument: there is
// nobody to ask.
Status Confirm(const std::string& question, bool yes,
               WithoutTerminal otherwise);

// One line of answer from the terminal; empty where there is none.
std::string Ask(const std::string& question);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CONFIRM_H_
