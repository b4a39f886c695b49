#ifndef ASSAY_RUNNER_WORKER_SESSION_DRAFT_H_
#define ASSAY_RUNNER_WORKER_SESSION_DRAFT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/runner/v1/run_input.pb.h"
#include "proto/base/error.h"
#include "sandbox/cell/spec.h"
#include "sandbox/cell/unique_fd.h"
#include "sandbox/egress/destination.h"
#include "sandbox/image/image_cache.h"

namespace assay::worker {

struct DraftInput {
  const plan::v1::Plan& plan;
  const std::map<std::string, std::string>& secrets;
  std::uint64_t seed = 0;
  // A tree archive of the commit; stays open until the session is made.
  int archive_fd = -1;
  // The plan's image, unpacked; without a directory where it is the host.
  sandbox::ImageRoot image = {};
  // What the build may reach.
  std::vector<sandbox::Destination> egress = {};
  // The blueprints of the plan's sidecars (runner/sidecars), in its order.
  std::vector<sandbox::CellSpec> sidecars = {};
  // They run already, in a session of their own: this one's are for variants.
  bool sidecars_run = false;
};

// The cells that a run may start, and where the run finds each of them
// (runner/run/blueprint_layout.h says what is inside).
struct SessionDraft {
  sandbox::SessionSpec spec;
  // Files of the suite that cells unpack; the spec refers to them.
  std::vector<sandbox::UniqueFd> archives;
  runner::v1::RunInput::Blueprints blueprints;
};

// Works out a plan's cells: one to unpack and build in, one for each service,
// each sidecar and each `command` or `mutants` step. Build and services share
// the work volume; they see no network but what the run's wires bring. Pure but
// for archives in memory.
//
// Errors: those of templates that do not expand; kInternal for a plan with an
// image that was not unpacked.
Expected<SessionDraft> DraftSession(const DraftInput& input);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_SESSION_DRAFT_H_
