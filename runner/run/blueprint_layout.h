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

// Cell of a `command` or `mutants` step: the command itself; a program of ours
// that writes the reports which the command left behind to its output, as
// `size NUL name NUL content` for each file; and, but for a command in the
// repository, whose work directory is the candidate's, what fills the work
// directory first.
inline constexpr std::uint32_t kCommandProcess = 0;
inline constexpr std::uint32_t kCollectProcess = 1;
inline constexpr std::uint32_t kFillProcess = 2;

// Service cell of a `mutants` step: process 0 is kServiceProcess. Then what
// unpacks the reference and all variants, the builds as in a build cell, what
// lays out the reference, and what lays out each variant over it.
inline constexpr std::uint32_t kVariantsUnpackProcess = 1;
inline constexpr std::uint32_t kFirstVariantBuildProcess = 2;

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_BLUEPRINT_LAYOUT_H_
