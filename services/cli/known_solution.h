#ifndef ASSAY_SERVICES_CLI_KNOWN_SOLUTION_H_
#define ASSAY_SERVICES_CLI_KNOWN_SOLUTION_H_

#include <filesystem>
#include <string>

#include "proto/base/error.h"
#include "runner/suite/verification.h"

namespace assay::cli {

// What an assignment's verify.yaml says.
struct KnownSolutions {
  std::filesystem::path base;
  plan::v1::Plan plan;
  // The reference is the first of its solutions.
  suite::Verification verification;
};

// INVALID_ARGUMENT: there is no verify.yaml in `dir`, or it or the suite that
// it names has errors, each at its place.
Expected<KnownSolutions> LoadKnownSolutions(const std::string& dir);

// Writes a solution of verify.yaml to `to`, which is empty: its folder below
// `base`, then its overlay or patch (by the `git` program).
//
// INVALID_ARGUMENT: a patch does not apply; git's words are in the message.
Status LayOut(const suite::KnownSolution& solution,
              const std::filesystem::path& base,
              const std::filesystem::path& to);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_KNOWN_SOLUTION_H_
