#ifndef ASSAY_RUNNER_MAIN_CONFINEMENT_H_
#define ASSAY_RUNNER_MAIN_CONFINEMENT_H_

#include "proto/base/error.h"

namespace assay::main {

// Gives up, for the rest of this process, everything that a run does not need:
// opening files, making sockets, starting programs or threads, memory that can
// be executed. What is left works on descriptors that the process has or is
// handed. Whoever takes this process over through the bytes of a candidate can
// disturb that candidate's run, and nothing else.
//
// Call it after libraries have read their configuration. Does nothing in
// builds with sanitizers or coverage, which write files at the end.
Status Confine();

}  // namespace assay::main

#endif  // ASSAY_RUNNER_MAIN_CONFINEMENT_H_
