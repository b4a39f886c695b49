#include "runner/worker/blueprint_parts.h"

#include <google/protobuf/util/time_util.h>

#include <map>
#include <utility>

#include "runner/sidecars/blueprints.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::worker {

using google::protobuf::util::TimeUtil;
using nlohmann::json;
using plan::v1::Command;
using plan::v1::Service;
using sandbox::CellSpec;
using sandbox::ProcessSpec;

namespace {

json Endpoint(const std::string& url, int port) {
  return {{"url", url}, {"host", "127.0.0.1"}, {"port", port}};
}

std::string HttpUrl(int port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

std::chrono::nanoseconds Nanoseconds(const google::protobuf::Duration& time) {
  return std::chrono::nanoseconds(TimeUtil::DurationToNanoseconds(time));
}

}  // namespace

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

sandbox::TmpfsMount WorkSizedTmpfs(const plan::v1::Limits& limits,
                                   std::string target) {
  sandbox::TmpfsMount mount{.target = std::move(target)};
  if (limits.disk_bytes() > 0) mount.bytes = limits.disk_bytes();
  if (limits.inodes() > 0) mount.inodes = limits.inodes();
  return mount;
}

Expected<ProcessSpec> BuildProcess(const DraftInput& input,
                                   const Service& service,
                                   std::vector<std::string> environment) {
  ASSAY_ASSIGN_OR_RETURN(
      ProcessSpec process,
      CommandProcess("build", service.build(), CommandScope(input, service),
                     std::move(environment)));
  process.wall_limit = Nanoseconds(service.build().has_timeout()
                                       ? service.build().timeout()
                                       : input.plan.limits().build_timeout());
  return process;
}

}  // namespace assay::worker
