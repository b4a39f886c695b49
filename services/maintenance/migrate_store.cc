#include "services/maintenance/migrate_store.h"

#include "services/coordinator/data_directory.h"
#include "services/storage/open_store.h"
#include "services/storage/postgres/move.h"

namespace assay::maintenance {

namespace fs = std::filesystem;

Expected<MigrateReport> MigrateStore(const fs::path& data_dir,
                                     const std::string& place) {
  const fs::path file = data_dir / "store.db";
  // With the file still there, a move was cut off at its end.
  if (!fs::exists(file)) ASSAY_RETURN_IF_ERROR(storage::ExpectSqlite(data_dir));
  if (!fs::exists(file))
    return NotFound("there is no store in ", data_dir.string(),
                    ": expected store.db; is this the --data-dir of an "
                    "assayd?");
  ASSAY_ASSIGN_OR_RETURN(const auto lock,
                         coordinator::DataDirectory::Open(data_dir));
  ASSAY_ASSIGN_OR_RETURN(const auto dsn, storage::ParsePostgresDsn(place));
  ASSAY_ASSIGN_OR_RETURN(const auto moved, storage::MoveToPostgres(file, dsn));
  // First the name of the new place: with both, assayd starts with neither.
  ASSAY_RETURN_IF_ERROR(storage::WriteStorePlace(data_dir, dsn.Describe()));
  std::error_code error;
  fs::rename(file, data_dir / "store.db.moved", error);
  if (error) return SystemError("rename " + file.string(), error.value());
  for (const char* name : {"store.db-wal", "store.db-shm"})
    fs::remove(data_dir / name, error);
  return MigrateReport{.tables = moved.tables, .rows = moved.rows};
}

}  // namespace assay::maintenance
