#include "runner/worker/session_draft.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "runner/sidecars/blueprints.h"
#include "runner/suite/template.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::worker {
namespace {

using google::protobuf::util::TimeUtil;
using nlohmann::json;
using plan::v1::Command;
using plan::v1::Service;
using sandbox::CellSpec;
using sandbox::ProcessSpec;

constexpr std::string_view kWork = "/work";
constexpr std::uint32_t kWorkVolume = 0;
// Unpacking writes to memory; a minute is for the largest commit on a machine
// that does much else.
constexpr std::chrono::minutes kUnpackLimit{1};

json Endpoint(const std::string& url, int port) {
  return {{"url", url}, {"host", "127.0.0.1"}, {"port", port}};
}

std::string HttpUrl(int port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

// What a service's commands may refer to.
suite::Scope CommandScope(const DraftInput& input, const Service& service) {
  suite::Scope scope;
  scope.AddGenerators(input.seed);
  scope.Set("port", service.port());
  json ports = json::object();
  for (const auto& [name, port] : service.ports()) ports[name] = port;
  scope.Set("ports", std::move(ports));
  scope.Set("run", {{"seed", input.seed}});
  scope.Set("secrets", json(input.secrets));
  for (const Service& other : input.plan.services())
    scope.SetMember("services", other.name(),
                    Endpoint(HttpUrl(other.port()), other.port()));
  for (const auto& sidecar : input.plan.sidecars())
    scope.SetMember("sidecars", sidecar.name(),
                    Endpoint(sidecars::SidecarUrl(sidecar), sidecar.port()));
  for (const auto& upstream : input.plan.upstreams())
    scope.SetMember("upstreams", upstream.name(),
                    Endpoint(HttpUrl(upstream.port()), upstream.port()));
  return scope;
}

std::chrono::nanoseconds Nanoseconds(const google::protobuf::Duration& time) {
  return std::chrono::nanoseconds(TimeUtil::DurationToNanoseconds(time));
}

Expected<ProcessSpec> CommandProcess(const std::string& name,
                                     const Command& command,
                                     const suite::Scope& scope,
                                     std::vector<std::string> environment) {
  // Lines that come later win. A shell has a PATH of its own, which `make` and
  // others that it starts do not see.
  environment.insert(environment.begin(),
                     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                     "/sbin:/bin");
  environment.insert(environment.end(), {"HOME=/tmp", "LANG=C.UTF-8"});
  ProcessSpec process{.name = name,
                      .arguments = {"/bin/sh", "-c", command.run()},
                      .environment = std::move(environment),
                      .working_directory = std::string(kWork)};
  if (!command.directory().empty()) {
    if (!sandbox::IsTreePath(command.directory()))
      return InvalidArgument("the directory of the ", name, " command is \"",
                             command.directory(),
                             "\", expected a relative path without `..`");
    process.working_directory += "/" + command.directory();
  }
  // The map's order is random, and blueprints should not be.
  const std::map<std::string, std::string> sorted(command.env().begin(),
                                                  command.env().end());
  for (const auto& [key, text] : sorted) {
    auto value = suite::ExpandText(text, scope);
    if (!value)
      return std::unexpected(value.error().Within(
          "environment variable " + key + " of the " + name + " command"));
    process.environment.push_back(key + "=" + *value);
  }
  return process;
}

sandbox::Limits CellLimits(const plan::v1::Limits& limits) {
  sandbox::Limits cell;
  if (limits.memory_bytes() > 0) cell.memory_bytes = limits.memory_bytes();
  if (limits.pids() > 0) cell.pids = limits.pids();
  cell.cores = limits.cpus();
  return cell;
}

CellSpec CandidateCell(std::string name, const DraftInput& input) {
  CellSpec cell{.name = std::move(name),
                .mounts = {sandbox::VolumeMount{.volume = kWorkVolume,
                                                .target = std::string(kWork)}},
                .limits = CellLimits(input.plan.limits())};
  if (!input.image.directory.empty())
    cell.root = sandbox::DirectoryRoot{input.image.directory};
  return cell;
}

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
    ASSAY_ASSIGN_OR_RETURN(
        ProcessSpec process,
        CommandProcess("build", service.build(), CommandScope(input, service),
                       environment));
    process.wall_limit = Nanoseconds(service.build().has_timeout()
                                         ? service.build().timeout()
                                         : input.plan.limits().build_timeout());
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
    draft.spec.cells.push_back(std::move(cell));
    return static_cast<std::int32_t>(draft.spec.cells.size()) - 1;
  };
  ASSAY_ASSIGN_OR_RETURN(CellSpec build, BuildCell(input));
  draft.blueprints.set_build(add(std::move(build)));
  for (const Service& service : plan.services()) {
    ASSAY_ASSIGN_OR_RETURN(CellSpec cell, ServiceCell(input, service));
    draft.blueprints.add_services(add(std::move(cell)));
  }
  for (const plan::v1::Sidecar& sidecar : plan.sidecars()) {
    ASSAY_ASSIGN_OR_RETURN(CellSpec cell, input.sidecar(sidecar));
    draft.blueprints.add_sidecars(add(std::move(cell)));
  }
  return draft;
}

}  // namespace assay::worker
