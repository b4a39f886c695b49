#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_SESSION_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_SESSION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proto/base/error.h"
#include "services/storage/postgres/dsn.h"
#include "services/storage/postgres/postgres_connection.h"

namespace assay::storage {

// Connects, and sets what a session of ours needs: a transaction that is left
// open ends by itself, and a commit is on disk when it is acknowledged.
//
// kFailedPrecondition: the server is too old, keeps no UTF-8, or is a standby.
Expected<std::unique_ptr<PostgresConnection>> OpenSession(
    const PostgresDsn& dsn);

// A transaction that has been open for so long that tables grow: what it might
// still read cannot be tidied away.
struct OldTransaction {
  std::int64_t pid = 0;
  std::string program;
  std::int64_t seconds = 0;

  bool operator==(const OldTransaction&) const = default;
};
// The oldest one of this database that is at least so old, if there is any
// that this role may see (pg_monitor sees all).
Expected<std::optional<OldTransaction>> FindOldTransaction(
    PostgresConnection& connection, std::chrono::seconds age);

// Who may be in a transaction of a writer of this database beside it.
enum class Beside {
  kNobody,
  kItsKind,  // other transactions that were begun with kItsKind
};
// Begins a transaction that writes. Costs nothing until the first statement,
// which it goes out with.
Status BeginWriting(PostgresConnection& connection,
                    Beside beside = Beside::kNobody);
// Begins a transaction that sees one moment, and cannot write.
Status BeginReading(PostgresConnection& connection);

// Brings the schema up to date, and adds what this driver needs of its own.
Status MigratePostgres(PostgresConnection& connection);
// kFailedPrecondition: another version of Assay has changed the schema
// meanwhile.
Status CheckSchema(PostgresConnection& connection);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_SESSION_H_
