#include "runner/sidecars/blueprints.h"

#include <unistd.h>

#include "runner/sidecars/postgres_installation.h"

namespace assay::sidecars {

using assay::plan::v1::Sidecar;

Expected<sandbox::CellSpec> PostgresBlueprint(const Sidecar& sidecar,
                                              const std::string& template_dir) {
  ASSAY_ASSIGN_OR_RETURN(const PostgresInstallation postgres,
                         FindPostgres(sidecar.version()));
  sandbox::CellSpec cell;
  cell.name = "sidecar:" + sidecar.name();
  cell.hostname = sidecar.name();
  sandbox::OverlayMount data;
  data.lower.path = template_dir;
  data.target = "/data";
  data.bytes = 512 << 20;
  cell.mounts.push_back(data);
  // Its tables are in memory, too.
  cell.limits.memory_bytes = 1 << 30;
  sandbox::ProcessSpec server;
  server.name = "postgres";
  server.arguments = {postgres.bin + "/postgres", "-D", "/data"};
  server.environment = {"LC_ALL=C.UTF-8", "TZ=UTC"};
  cell.processes.push_back(server);
  return cell;
}

Expected<sandbox::CellSpec> RedisBlueprint(const Sidecar& sidecar) {
  constexpr const char* kServer = "/usr/bin/redis-server";
  if (access(kServer, X_OK) != 0) {
    return NotFound(
        "Redis is not installed on this worker; install redis-server");
  }
  sandbox::CellSpec cell;
  cell.name = "sidecar:" + sidecar.name();
  cell.hostname = sidecar.name();
  cell.limits.memory_bytes = 256 << 20;
  sandbox::ProcessSpec server;
  server.name = "redis";
  // DEBUG is what a reset uses; /tmp is the cell's own.
  server.arguments = {kServer,     "--bind",
                      "127.0.0.1", "--port",
                      "6379",      "--save",
                      "",          "--appendonly",
                      "no",        "--protected-mode",
                      "no",        "--enable-debug-command",
                      "local",     "--dir",
                      "/tmp"};
  server.working_directory = "/tmp";
  cell.processes.push_back(server);
  return cell;
}

std::string SidecarUrl(const Sidecar& sidecar) {
  const std::string at = "127.0.0.1:" + std::to_string(sidecar.port());
  switch (sidecar.kind()) {
    case Sidecar::KIND_POSTGRES:
      return "postgresql://app:app@" + at + "/app";
    case Sidecar::KIND_REDIS:
      return "redis://" + at + "/0";
    default:
      return "";
  }
}

}  // namespace assay::sidecars
