#include "services/storage/open_store.h"

#include <fstream>
#include <utility>

#include "services/storage/postgres/postgres_store.h"
#include "services/storage/sqlite/sqlite_store.h"

namespace assay::storage {
namespace fs = std::filesystem;

Status ExpectSqlite(const fs::path& data_dir) {
  std::ifstream file(data_dir / kStorePlaceFile);
  std::string place;
  if (!std::getline(file, place)) return {};
  return FailedPrecondition(
      data_dir.string(), " goes with the store ", place,
      ": name it with --store (or ASSAY_STORE); to begin anew with SQLite, "
      "remove ",
      (data_dir / kStorePlaceFile).string());
}

Status WriteStorePlace(const fs::path& data_dir,
                       const std::string& description) {
  const fs::path file = data_dir / kStorePlaceFile;
  const fs::path draft = file.string() + ".new";
  std::ofstream(draft) << description << "\n";
  std::error_code error;
  fs::rename(draft, file, error);
  if (error) return SystemError("write " + file.string(), error.value());
  return {};
}

Expected<std::unique_ptr<Store>> OpenStore(
    const std::string& place, const fs::path& data_dir,
    std::function<void(std::chrono::seconds)> on_oldest) {
  if (place.empty()) {
    ASSAY_RETURN_IF_ERROR(ExpectSqlite(data_dir));
    return OpenSqlite(data_dir / "store.db");
  }
  if (!IsPostgresDsn(place))
    return InvalidArgument(
        "--store is \"", place,
        "\", expected postgres://user@host:port/database, or nothing for "
        "SQLite in the data directory");
  if (fs::exists(data_dir / "store.db"))
    return FailedPrecondition(
        data_dir.string(),
        " holds an SQLite store: move it with `assay admin migrate-store`, or "
        "choose another --data-dir");
  ASSAY_ASSIGN_OR_RETURN(const PostgresDsn dsn, ParsePostgresDsn(place));
  ASSAY_ASSIGN_OR_RETURN(
      auto store,
      OpenPostgres(dsn, {.bulletin = true, .on_oldest = std::move(on_oldest)}));
  ASSAY_RETURN_IF_ERROR(WriteStorePlace(data_dir, dsn.Describe()));
  return store;
}

}  // namespace assay::storage
