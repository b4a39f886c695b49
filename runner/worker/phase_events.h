#ifndef ASSAY_RUNNER_WORKER_PHASE_EVENTS_H_
#define ASSAY_RUNNER_WORKER_PHASE_EVENTS_H_

#include <string>

#include "assay/v1/run.pb.h"

namespace assay::worker {

// The events that the worker adds itself, around what assay-run says.
v1::RunEvent MaterialiseStarted();
v1::RunEvent MaterialiseFinished();
// The commit cannot be unpacked, as `reason` says to its author.
v1::RunEvent MaterialiseFailed(const std::string& reason);
v1::RunEvent BuildFailed(const std::string& reason);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_PHASE_EVENTS_H_
