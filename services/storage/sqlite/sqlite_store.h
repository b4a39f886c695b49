#ifndef ASSAY_SERVICES_STORAGE_SQLITE_SQLITE_STORE_H_
#define ASSAY_SERVICES_STORAGE_SQLITE_SQLITE_STORE_H_

#include <filesystem>
#include <memory>

#include "proto/base/error.h"
#include "services/storage/store.h"

namespace assay::storage {

struct SqliteOptions {
  // Threads that serve Read.
  int readers = 2;
  // Most closures that share one commit.
  int max_batch = 256;
};

// Opens (or makes) the SQLite store in `file`, and migrates it. WAL with
// synchronous=FULL; one writer thread puts all closures that wait into one
// transaction, so that they share one flush.
//
// kFailedPrecondition: a newer Assay wrote the file. kUnavailable: it cannot
// be opened or written.
Expected<std::unique_ptr<Store>> OpenSqlite(const std::filesystem::path& file,
                                            SqliteOptions options = {});

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_SQLITE_SQLITE_STORE_H_
