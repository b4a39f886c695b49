#ifndef ASSAY_RUNNER_RUN_BLUEPRINT_LAYOUT_H_
#define ASSAY_RUNNER_RUN_BLUEPRINT_LAYOUT_H_

#include <cstdint>

// What worker and run agree on about `CellSpec::processes`, by position: the
// worker builds the blueprints of a session, the run starts them.
namespace assay::run {

// Build cell (`RunInput.blueprints.build`): process 0 unpacks the commit to
// the session's work volume, then one process per service that has a `build`,
// in the plan's order, each with the command's own wall limit.
inline constexpr std::uint32_t kUnpackProcess = 0;
inline constexpr std::uint32_t kFirstBuildProcess = 1;

// Service cell: its start command, in the work volume, without a wall limit.
inline constexpr std::uint32_t kServiceProcess = 0;

// Sidecar cell: its server (see runner/sidecars, which makes these blueprints).
inline constexpr std::uint32_t kSidecarProcess = 0;

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_BLUEPRINT_LAYOUT_H_
