#include "runner/worker/session_draft.h"

#include <algorithm>
#include <utility>

#include "runner/worker/blueprint_parts.h"
#include "runner/worker/command_blueprints.h"

namespace assay::worker {
namespace {

using plan::v1::Service;
using sandbox::CellSpec;
using sandbox::ProcessSpec;

// What a package manager downloads goes through a cache in HOME, which is in
// the scratch space: as much room there as in the work directory.
void MakeRoomForDownloads(const DraftInput& input, CellSpec& cell) {
  const auto& limits = input.plan.limits();
  if (input.egress.empty()) return;
  cell.limits.scratch_bytes =
      std::max(cell.limits.scratch_bytes, limits.disk_bytes());
  cell.limits.scratch_inodes =
      std::max(cell.limits.scratch_inodes, limits.inodes());
}

Expected<CellSpec> BuildCell(const DraftInput& input) {
  CellSpec cell = CandidateCell("build", input);
  MakeRoomForDownloads(input, cell);
  std::vector<std::string> environment = input.image.environment;
  if (!input.egress.empty()) {
    const auto proxy = sandbox::ProxyVariables(input.egress);
    environment.insert(environment.end(), proxy.begin(), proxy.end());
  }
  cell.processes.push_back(ProcessSpec{
      .name = "unpack",
      .wall_limit = kUnpackLimit,
      .unpack = sandbox::UnpackAction{.archive_fd = input.archive_fd,
                                      .directory = std::string(kWork)}});
  for (const Service& service : input.plan.services()) {
    if (!service.has_build()) continue;
    ASSAY_ASSIGN_OR_RETURN(ProcessSpec process,
                           BuildProcess(input, service, environment));
    cell.processes.push_back(std::move(process));
  }
  return cell;
}

// Where an OpenTelemetry SDK of the service finds the run's receiver, with
// batches that come in time for an assertion. The commands' own lines win.
std::vector<std::string> TelemetryEnvironment(const Service& service) {
  return {"OTEL_SERVICE_NAME=" + service.name(),
          "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
          "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
          "OTEL_BSP_SCHEDULE_DELAY=200",
          "OTEL_BLRP_SCHEDULE_DELAY=200",
          "OTEL_METRIC_EXPORT_INTERVAL=1000",
          "OTEL_TRACES_SAMPLER=parentbased_always_on",
          "OTEL_PROPAGATORS=tracecontext,baggage",
          "OTEL_SEMCONV_STABILITY_OPT_IN=http/dup,database/dup"};
}

Expected<CellSpec> ServiceCell(const DraftInput& input,
                               const Service& service) {
  CellSpec cell = CandidateCell("service:" + service.name(), input);
  ASSAY_ASSIGN_OR_RETURN(
      ProcessSpec process,
      CommandProcess("start", service.start(), CommandScope(input, service),
                     input.image.environment));
  std::vector<std::string> environment = TelemetryEnvironment(service);
  // Behind HOME and LANG, in front of the image's and the command's.
  process.environment.insert(process.environment.begin() + 2,
                             environment.begin(), environment.end());
  cell.processes.push_back(std::move(process));
  return cell;
}

}  // namespace

Expected<SessionDraft> DraftSession(const DraftInput& input) {
  const plan::v1::Plan& plan = input.plan;
  const std::string& image = plan.environment().image();
  if (!image.empty() && image != "host" && input.image.directory.empty())
    return Internal("the image ", image, " was not unpacked");
  SessionDraft draft;
  sandbox::VolumeSpec work;
  if (plan.limits().disk_bytes() > 0) work.bytes = plan.limits().disk_bytes();
  if (plan.limits().inodes() > 0) work.inodes = plan.limits().inodes();
  draft.spec.volumes.push_back(work);

  const auto add = [&](CellSpec cell) {
    // Every cell of a plan is used once, so it can stand before its turn.
    cell.expected_starts = 1;
    for (auto& process : cell.processes) process.expected_starts = 1;
    draft.spec.cells.push_back(std::move(cell));
    return static_cast<std::int32_t>(draft.spec.cells.size()) - 1;
  };
  ASSAY_ASSIGN_OR_RETURN(CellSpec build, BuildCell(input));
  draft.blueprints.set_build(add(std::move(build)));
  for (const Service& service : plan.services()) {
    ASSAY_ASSIGN_OR_RETURN(CellSpec cell, ServiceCell(input, service));
    draft.blueprints.add_services(add(std::move(cell)));
  }
  for (const CellSpec& sidecar : input.sidecars) {
    const std::int32_t index = add(sidecar);
    draft.blueprints.add_sidecars(index);
    if (input.sidecars_run) {
      draft.spec.cells[static_cast<std::size_t>(index)].expected_starts = 0;
    }
  }
  ASSAY_RETURN_IF_ERROR(DraftCommands(input, draft));
  return draft;
}

}  // namespace assay::worker
