#ifndef ASSAY_RUNNER_SIDECARS_POSTGRES_TEMPLATE_H_
#define ASSAY_RUNNER_SIDECARS_POSTGRES_TEMPLATE_H_

#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "sandbox/cell/launcher.h"

namespace assay::sidecars {

// Makes sure that a PostgreSQL data directory for `sidecar` is in `cache_dir`:
// initialised, with the role and database `app`, its seeds applied by that
// role, and stopped cleanly. Prepared once for each (version, settings, seeds),
// inside a cell; later calls only look. Yields its path, for PostgresBlueprint.
//
// Takes about a second when it has to prepare, and blocks. Safe to call from
// several processes at once.
// Errors: NOT_FOUND when that version is not installed; INVALID_ARGUMENT with
// psql's own words (file, line) when a seed fails: the author's fault;
// FAILED_PRECONDITION for a `cache_dir` that other users may write to.
Expected<std::string> EnsurePostgresTemplate(
    sandbox::Launcher& launcher, const std::string& cache_dir,
    const assay::plan::v1::Plan& plan, const assay::plan::v1::Sidecar& sidecar);

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_POSTGRES_TEMPLATE_H_
