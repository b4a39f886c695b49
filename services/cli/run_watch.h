#ifndef ASSAY_SERVICES_CLI_RUN_WATCH_H_
#define ASSAY_SERVICES_CLI_RUN_WATCH_H_

#include <string>

#include "assay/v1/run.pb.h"
#include "services/cli/context.h"

namespace assay::cli {

struct RunWatchOptions {
  std::string name;
  // Whose server and token are used: "me" is the candidate's own.
  std::string whose;
  bool logs = false;
};

// Shows a run as it happens, to its end. The outcome is its score's.
Outcome WatchRun(Context& context, const RunWatchOptions& options);

Expected<v1::Run> GetRun(Server& server, const std::string& name);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_RUN_WATCH_H_
