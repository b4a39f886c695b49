#include "services/maintenance/snapshot.h"

#include <tuple>

#include "services/storage/migrations/migrations.h"
#include "services/storage/sql/inventory.h"

namespace assay::maintenance {

Expected<std::unique_ptr<Snapshot>> Snapshot::Open(
    const std::filesystem::path& store_file) {
  if (!std::filesystem::exists(store_file))
    return NotFound(
        "there is no store in ", store_file.parent_path().string(),
        ": expected store.db; is this the --data-dir of an assayd?");
  ASSAY_ASSIGN_OR_RETURN(
      auto connection,
      storage::SqliteConnection::Open(
          store_file, storage::SqliteConnection::Access::kWrite));
  ASSAY_RETURN_IF_ERROR(connection->Execute("BEGIN"));
  ASSAY_ASSIGN_OR_RETURN(const int version,
                         storage::sql::ReadSchemaVersion(*connection));
  const int expected = storage::AllMigrations().back().version;
  if (version != expected)
    return FailedPrecondition("the store has schema version ", version,
                              ", expected ", expected,
                              ": start this Assay's assayd on it once, or use "
                              "the version that wrote it");
  return std::unique_ptr<Snapshot>(new Snapshot(std::move(connection)));
}

// There is nothing to do about one that fails: it only read.
Snapshot::~Snapshot() { std::ignore = connection_->Execute("ROLLBACK"); }

}  // namespace assay::maintenance
