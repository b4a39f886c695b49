#ifndef ASSAY_RUNNER_SIDECARS_POSTGRES_INSTALLATION_H_
#define ASSAY_RUNNER_SIDECARS_POSTGRES_INSTALLATION_H_

#include <string>

#include "proto/base/error.h"

namespace assay::sidecars {

// A PostgreSQL as Debian installs it.
struct PostgresInstallation {
  int version = 0;
  // "/usr/lib/postgresql/15/bin".
  std::string bin;
};

// The installed major version `version`, or the newest (0).
// NOT_FOUND lists those that are installed.
Expected<PostgresInstallation> FindPostgres(int version);

}  // namespace assay::sidecars

#endif  // ASSAY_RUNNER_SIDECARS_POSTGRES_INSTALLATION_H_
