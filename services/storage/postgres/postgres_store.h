#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_STORE_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_STORE_H_

#include <chrono>
#include <functional>
#include <memory>

#include "proto/base/error.h"
#include "services/storage/postgres/dsn.h"
#include "services/storage/store.h"

namespace assay::storage {

struct PostgresOptions {
  // Connections that serve Read.
  int readers = 2;
  // Most closures that share one commit.
  int max_batch = 64;
  // How long closures wait for a server that went away before they are told.
  std::chrono::milliseconds patience{5'000};
  // Joins the programs that share the database: see Store::bulletin.
  bool bulletin = false;
  // How often transactions that stay open are looked for, and how old one has
  // to be for a warning in the log.
  std::chrono::milliseconds watch_interval{30'000};
  std::chrono::seconds old_transaction{300};
  // Told at each look how long the oldest one has been open; 0: none is. From
  // a thread of the store.
  std::function<void(std::chrono::seconds)> on_oldest = nullptr;
};

// Opens a store in PostgreSQL 13 or later, and migrates it. Several stores, of
// several programs, may be open on one database.
//
// One writer thread puts the closures that wait into one transaction. All
// writers of a database take one advisory lock first, so that closures see each
// other's writes one after the other, as they do in SQLite, and never conflict;
// the lock costs one round trip that a batch shares, and a writer that stops in
// the middle loses lock and transaction after five seconds. A transaction of
// Store::WriteBeside alone shares the lock with others such.
//
// A commit whose answer is lost with the connection is looked up afterwards, by
// a row that the transaction wrote: it has happened or not, and closures that
// did not happen run again.
//
// kInvalidArgument, kUnavailable: as ParsePostgresDsn and the server say.
// kFailedPrecondition: a newer Assay wrote the store, or the server is no
// fit.
Expected<std::unique_ptr<Store>> OpenPostgres(const PostgresDsn& dsn,
                                              PostgresOptions options = {});

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_POSTGRES_STORE_H_
