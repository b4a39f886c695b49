#ifndef ASSAY_SERVICES_CLI_KNOWN_SOLUTION_H_
#define ASSAY_SERVICES_CLI_KNOWN_SOLUTION_H_

#include <filesystem>

#include "proto/base/error.h"
#include "runner/suite/verification.h"

namespace assay::cli {

// Writes a solution of verify.yaml to `to`, which is empty: its folder below
// `base`, then its overlay or patch (by the `git` program).
//
// INVALID_ARGUMENT: a patch does not apply; git's words are in the message.
Status LayOut(const suite::KnownSolution& solution,
              const std::filesystem::path& base,
              const std::filesystem::path& to);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_KNOWN_SOLUTION_H_
