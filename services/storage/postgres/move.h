#ifndef ASSAY_SERVICES_STORAGE_POSTGRES_MOVE_H_
#define ASSAY_SERVICES_STORAGE_POSTGRES_MOVE_H_

#include <cstdint>
#include <filesystem>

#include "proto/base/error.h"
#include "services/storage/postgres/dsn.h"

namespace assay::storage {

struct MoveReport {
  int tables = 0;
  std::int64_t rows = 0;
  // The rows were there already: an earlier move was cut off at its end.
  bool repeated = false;
};

// Copies every row of the SQLite store in `file` to the PostgreSQL of `dsn`, in
// one transaction, and reads both back side by side before it commits. The file
// is migrated to this version's schema first and not touched otherwise.
//
// Errors: kFailedPrecondition when PostgreSQL holds other rows already;
// kDataLoss when what was read back is not what was written; kInvalidArgument
// for text that PostgreSQL cannot hold. Nothing is left there then.
Expected<MoveReport> MoveToPostgres(const std::filesystem::path& file,
                                    const PostgresDsn& dsn);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_POSTGRES_MOVE_H_
