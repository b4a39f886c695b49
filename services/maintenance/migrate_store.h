#ifndef ASSAY_SERVICES_MAINTENANCE_MIGRATE_STORE_H_
#define ASSAY_SERVICES_MAINTENANCE_MIGRATE_STORE_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "proto/base/error.h"

namespace assay::maintenance {

struct MigrateReport {
  int tables = 0;
  std::int64_t rows = 0;
};

// Moves an installation from SQLite to the PostgreSQL that `place` names: every
// row is copied and read back before anything counts, then store.db gets the
// name store.db.moved and the data directory goes with PostgreSQL. Cut off
// anywhere, it can be done again.
//
// Errors: kFailedPrecondition while an assayd uses the data directory, or when
// the database holds something else; those of MoveToPostgres.
Expected<MigrateReport> MigrateStore(const std::filesystem::path& data_dir,
                                     const std::string& place);

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_MIGRATE_STORE_H_
