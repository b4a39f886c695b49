#ifndef ASSAY_SERVICES_CLI_LOCAL_RUN_H_
#define ASSAY_SERVICES_CLI_LOCAL_RUN_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/run.pb.h"
#include "proto/base/error.h"

namespace assay::cli {

// A plan against a directory on this machine, without a server: executed by
// `assay-runner --local`, in cells like every run. Or, without cells, against
// a server of this machine that is there already.
struct LocalRun {
  plan::v1::Plan plan;
  // A directory, or a URL like http://localhost:3000.
  std::string solution;
  // Empty: all.
  std::vector<std::string> only_checks;
  bool public_only = false;
  // Of the worker; Debian has it in PATH, a build beside us.
  std::string program;
};

// INVALID_ARGUMENT: the solution is neither a folder nor a URL, or a check is
// not in the plan.
Status CheckSelection(const LocalRun& run);

// Executes it and hands each event over as it happens. Returns after the last.
//
// Errors: kInternal when the worker ends without a last word; the message has
// what it wrote to standard error.
Status Execute(const LocalRun& run,
               const std::function<void(const v1::RunEvent&)>& on_event);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_LOCAL_RUN_H_
