#ifndef ASSAY_RUNNER_WORKER_BLUEPRINT_PARTS_H_
#define ASSAY_RUNNER_WORKER_BLUEPRINT_PARTS_H_

#include <chrono>
#include <string>
#include <vector>

#include "runner/suite/template.h"
#include "runner/worker/session_draft.h"

// What the blueprints of a plan's cells are put together from.
namespace assay::worker {

inline constexpr std::string_view kWork = "/work";
inline constexpr std::uint32_t kWorkVolume = 0;

// What the commands of a service, and steps beside it, may refer to.
suite::Scope CommandScope(const DraftInput& input,
                          const plan::v1::Service& service);

// `sh -c` of a command in the work directory. `name` is for messages;
// `environment` comes before the command's own lines, which win.
Expected<sandbox::ProcessSpec> CommandProcess(
    const std::string& name, const plan::v1::Command& command,
    const suite::Scope& scope, std::vector<std::string> environment);

sandbox::Limits CellLimits(const plan::v1::Limits& limits);
// A tmpfs at `target`, as large as a work directory may get.
sandbox::TmpfsMount WorkSizedTmpfs(const plan::v1::Limits& limits,
                                   std::string target);
// A cell whose work directory is the session's work volume.
sandbox::CellSpec CandidateCell(std::string name, const DraftInput& input);

// The service's build under its own limit.
Expected<sandbox::ProcessSpec> BuildProcess(
    const DraftInput& input, const plan::v1::Service& service,
    std::vector<std::string> environment);

// Unpacking writes to memory; a minute is for the largest tree on a machine
// that does much else.
inline constexpr std::chrono::minutes kUnpackLimit{1};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_BLUEPRINT_PARTS_H_
