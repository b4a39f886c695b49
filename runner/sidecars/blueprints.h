#ifndef ASSAY_RUNNER_SIDECARS_BLUEPRINTS_H_
#define ASSAY_RUNNER_SIDECARS_BLUEPRINTS_H_

#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "sandbox/cell/spec.h"

namespace assay::sidecars {

// A cell that runs PostgreSQL on 127.0.0.1:5432 over a template of
// EnsurePostgresTemplate; what it changes vanishes with the cell.
Expected<sandbox::CellSpec> PostgresBlueprint(
    const assay::plan::v1::Sidecar& sidecar, const std::string& template_dir);

// A cell that runs Redis on 127.0.0.1:6379, in memory only.
// NOT_FOUND: redis-server is not installed.
Expected<sandbox::CellSpec> RedisBlueprint(
    const assay::plan::v1::Sidecar& sidecar);

// What a service is told to reach the sidecar by, through the run's wire at
// `Sidecar.port` of its own cell: "postgresql://app:app@127.0.0.1:5432/app",
// "redis://127.0.0.1:6379/0". The value of `{{sidecars.NAME.url}}`.
std::string SidecarUrl(const assay::plan::v1::Sidecar& sidecar);

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_BLUEPRINTS_H_
