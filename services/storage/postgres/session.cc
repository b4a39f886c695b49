#include "services/storage/postgres/session.h"

#include <cstdint>
#include <tuple>
#include <utility>

#include "services/storage/migrations/migrations.h"
#include "services/storage/sql/inventory.h"

namespace assay::storage {
namespace {

// Where pg_current_xact_id and the pipeline's protocol are.
constexpr std::int64_t kOldestServer = 130000;

// "assaywri", which nobody else will choose by chance.
#define ASSAY_WRITERS "7022364301967062633"
constexpr const char* kLockWriters =
    "SELECT pg_advisory_xact_lock(" ASSAY_WRITERS ")::text";
constexpr const char* kLockBeside =
    "SELECT pg_advisory_xact_lock_shared(" ASSAY_WRITERS ")::text";

// A session whose client's machine is gone ends within seconds, and its locks
// with it.
constexpr const char* kSettings[] = {
    "SET idle_in_transaction_session_timeout = '5s'",
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
};

// Of every batch of every writer, the last one that was committed.
constexpr const char* kMakeMarks =
    "CREATE TABLE IF NOT EXISTS commit_marks ("
    "writer TEXT PRIMARY KEY, batch BIGINT NOT NULL, "
    "begin_time TIMESTAMPTZ NOT NULL DEFAULT now())";

Status CheckServer(PostgresConnection& connection, const std::string& place) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection.Execute("SELECT current_setting('server_version_num')::BIGINT,"
                         " current_setting('server_encoding'),"
                         " current_setting('synchronous_commit'),"
                         " pg_is_in_recovery(),"
                         " current_setting('server_version')"));
  const sql::Row& row = found.rows.front();
  if (row.Int(0) < kOldestServer)
    return FailedPrecondition("the store ", place, " is PostgreSQL ",
                              row.Text(4), ", expected 13 or later");
  if (row.Text(1) != "UTF8")
    return FailedPrecondition(
        "the store ", place, " keeps ", row.Text(1),
        ", expected UTF8: make the database with ENCODING 'UTF8'");
  if (row.Flag(3))
    return FailedPrecondition("the store ", place,
                              " is a standby: name the primary in --store");
  if (row.Text(2) == "off" || row.Text(2) == "local")
    ASSAY_RETURN_IF_ERROR(connection.Execute("SET synchronous_commit = on"));
  return {};
}

}  // namespace

Expected<std::unique_ptr<PostgresConnection>> OpenSession(
    const PostgresDsn& dsn) {
  ASSAY_ASSIGN_OR_RETURN(auto connection, PostgresConnection::Connect(dsn));
  for (const char* setting : kSettings)
    ASSAY_RETURN_IF_ERROR(connection->Post(setting, {}));
  ASSAY_RETURN_IF_ERROR(CheckServer(*connection, dsn.Describe()));
  return connection;
}

Expected<std::optional<OldTransaction>> FindOldTransaction(
    PostgresConnection& connection, std::chrono::seconds age) {
  ASSAY_ASSIGN_OR_RETURN(
      const sql::Result found,
      connection.Execute(
          "SELECT pid::BIGINT, application_name, "
          "EXTRACT(EPOCH FROM now() - xact_start)::BIGINT "
          "FROM pg_stat_activity WHERE datname = current_database() "
          "AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
          "AND xact_start <= now() - $1 * interval '1 second' "
          "ORDER BY xact_start LIMIT 1",
          {static_cast<double>(age.count())}));
  if (found.rows.empty()) return std::nullopt;
  const sql::Row& row = found.rows.front();
  return OldTransaction{row.Int(0), row.Text(1), row.Int(2)};
}

Status BeginWriting(PostgresConnection& connection, Beside beside) {
  connection.Forget();
  ASSAY_RETURN_IF_ERROR(
      connection.Post("BEGIN ISOLATION LEVEL READ COMMITTED", {}));
  return connection.Post(
      beside == Beside::kItsKind ? kLockBeside : kLockWriters, {});
}

Status BeginReading(PostgresConnection& connection) {
  connection.Forget();
  return connection.Post("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", {});
}

Status MigratePostgres(PostgresConnection& connection) {
  ASSAY_RETURN_IF_ERROR(BeginWriting(connection));
  Status migrated = Migrate(connection, AllMigrations());
  if (migrated) migrated = connection.Post(kMakeMarks, {});
  // Of writers that ended without a word.
  if (migrated)
    migrated = connection.Post(
        "DELETE FROM commit_marks WHERE begin_time < now() - interval '30 d'",
        {});
  if (!migrated) {
    std::ignore = connection.Execute("ROLLBACK");
    return migrated;
  }
  auto committed = connection.Execute("COMMIT");
  if (!committed) return std::unexpected(std::move(committed).error());
  return {};
}

Status CheckSchema(PostgresConnection& connection) {
  ASSAY_ASSIGN_OR_RETURN(const int version, sql::ReadSchemaVersion(connection));
  const int expected = AllMigrations().back().version;
  if (version == expected) return {};
  return FailedPrecondition(
      "the store has schema version ", version, " by now, expected ", expected,
      ": another version of Assay migrated it; start that version here too");
}

}  // namespace assay::storage
