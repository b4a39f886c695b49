#ifndef ASSAY_RUNNER_WORKER_CANARY_H_
#define ASSAY_RUNNER_WORKER_CANARY_H_

#include <string>

#include "runner/worker/workshop.h"

namespace assay::worker {

// Executes a plan of its own, which writes and reads a file in a cell, as a
// candidate's run is executed. Empty: cells work here. Else why they do not, in
// a sentence. Blocks for some tens of milliseconds.
std::string RunCanary(Workshop& workshop, const std::string& run_program,
                      const std::string& data_dir);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_CANARY_H_
