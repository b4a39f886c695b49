#include "services/maintenance/snapshot.h"

#include "services/storage/migrations/migrations.h"

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
  const auto version =
      connection->Execute("SELECT MAX(version) FROM schema_versions");
  if (!version) return std::unexpected(version.error());
  const int expected = storage::AllMigrations().back().version;
  if (version->rows.front().Int(0) != expected)
    return FailedPrecondition("the store has schema version ",
                              version->rows.front().Int(0), ", expected ",
                              expected,
                              ": start this Assay's assayd on it once, or use "
                              "the version that wrote it");
  return std::unique_ptr<Snapshot>(new Snapshot(std::move(connection)));
}

Snapshot::~Snapshot() { (void)connection_->Execute("ROLLBACK"); }

}  // namespace assay::maintenance
