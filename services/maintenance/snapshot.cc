#include "services/maintenance/snapshot.h"

#include <tuple>
#include <utility>

#include "services/storage/migrations/migrations.h"
#include "services/storage/open_store.h"
#include "services/storage/postgres/session.h"
#include "services/storage/sql/inventory.h"
#include "services/storage/sqlite/sqlite_connection.h"

namespace assay::maintenance {

namespace {

using ConnectionPtr = std::unique_ptr<storage::sql::Connection>;

Expected<ConnectionPtr> BeginSqlite(const std::filesystem::path& data_dir) {
  ASSAY_RETURN_IF_ERROR(storage::ExpectSqlite(data_dir));
  if (!std::filesystem::exists(data_dir / "store.db"))
    return NotFound("there is no store in ", data_dir.string(),
                    ": expected store.db; is this the --data-dir of an "
                    "assayd?");
  ASSAY_ASSIGN_OR_RETURN(
      auto connection,
      storage::SqliteConnection::Open(
          data_dir / "store.db", storage::SqliteConnection::Access::kWrite));
  ASSAY_RETURN_IF_ERROR(connection->Execute("BEGIN"));
  return connection;
}

Expected<ConnectionPtr> BeginPostgres(const std::string& place) {
  ASSAY_ASSIGN_OR_RETURN(const auto dsn, storage::ParsePostgresDsn(place));
  ASSAY_ASSIGN_OR_RETURN(auto connection, storage::OpenSession(dsn));
  // Objects are read for minutes between two statements.
  ASSAY_RETURN_IF_ERROR(
      connection->Execute("SET idle_in_transaction_session_timeout = 0"));
  ASSAY_RETURN_IF_ERROR(storage::BeginReading(*connection));
  return connection;
}

}  // namespace

Expected<std::unique_ptr<Snapshot>> Snapshot::Open(
    const std::filesystem::path& data_dir, const std::string& place) {
  ASSAY_ASSIGN_OR_RETURN(ConnectionPtr connection, place.empty()
                                                       ? BeginSqlite(data_dir)
                                                       : BeginPostgres(place));
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
