#ifndef ASSAY_RUNNER_SIDECARS_HANDOVER_H_
#define ASSAY_RUNNER_SIDECARS_HANDOVER_H_

#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/launcher.h"
#include "sandbox/cell/session.h"
#include "sandbox/cell/spec.h"

// Sidecars that start before their run does: by the worker, in a session of
// their own, which is handed to assay-run as it is. What a run gets was never
// anybody else's.
namespace assay::sidecars {

struct RunningSidecar {
  sandbox::Cell cell;
  sandbox::Process server;
};

// In the order of `Plan.sidecars`. The last copy of the session's socket ends
// them.
struct RunningSidecars {
  sandbox::Session session;
  std::vector<RunningSidecar> all;
};

// More are not started ahead.
inline constexpr std::size_t kMostHanded = 16;

// Builds `cells` and starts their servers, without waiting until those are
// ready. Blocks for some milliseconds.
Expected<RunningSidecars> StartSidecars(sandbox::Launcher& launcher,
                                        std::vector<sandbox::CellSpec> cells);

// Whether all of them still run.
bool AllRun(RunningSidecars& sidecars);

// A socket that holds all of it, to be given to another process; and what that
// process makes of it. INTERNAL: it holds something else.
Expected<sandbox::UniqueFd> HandOver(RunningSidecars sidecars);
Expected<RunningSidecars> TakeOver(sandbox::UniqueFd socket);

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_HANDOVER_H_
