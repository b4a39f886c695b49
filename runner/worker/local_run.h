#ifndef ASSAY_RUNNER_WORKER_LOCAL_RUN_H_
#define ASSAY_RUNNER_WORKER_LOCAL_RUN_H_

#include <string>

#include "proto/base/error.h"
#include "runner/worker/workshop.h"

namespace assay::worker {

// Executes `order` without a coordinator and writes its events, each after its
// length as a varint, to `output_fd`. Blocks until the run has ended; SIGINT
// and SIGTERM end it at once.
//
// Success: the last event was `finished`, whatever the outcome.
Status RunLocally(Workshop& workshop, const std::string& run_program,
                  const RunOrder& order, int output_fd);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_LOCAL_RUN_H_
