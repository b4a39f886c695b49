#ifndef ASSAY_RUNNER_WORKER_PHASE_EVENTS_H_
#define ASSAY_RUNNER_WORKER_PHASE_EVENTS_H_

#include <string>

#include "assay/v1/run.pb.h"

namespace assay::worker {

// The phase `materialise` begins here, with the commit becoming an archive, and
// goes on in assay-run, which unpacks it: watchers see one phase.
v1::RunEvent MaterialiseStarted();
// True for assay-run's own beginning of that phase.
bool StartsMaterialise(const v1::RunEvent& event);
// The commit cannot be unpacked, as `reason` says to its author.
v1::RunEvent MaterialiseFailed(const std::string& reason);
v1::RunEvent BuildFailed(const std::string& reason);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_PHASE_EVENTS_H_
