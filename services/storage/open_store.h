#ifndef ASSAY_SERVICES_STORAGE_OPEN_STORE_H_
#define ASSAY_SERVICES_STORAGE_OPEN_STORE_H_

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "proto/base/error.h"
#include "services/storage/store.h"

namespace assay::storage {

// The file in a data directory that says which PostgreSQL it goes with, so that
// it is not opened by mistake with an empty SQLite file instead.
inline constexpr const char* kStorePlaceFile = "store.place";

// Opens the store of the data directory: SQLite in its store.db when `place` is
// empty, else the PostgreSQL that `place` names (postgres://...).
//
// `on_oldest` is as in PostgresOptions; SQLite never calls it.
//
// kInvalidArgument: `place` is neither. kFailedPrecondition: the data directory
// goes with another kind of store. Else what OpenSqlite and OpenPostgres say.
Expected<std::unique_ptr<Store>> OpenStore(
    const std::string& place, const std::filesystem::path& data_dir,
    std::function<void(std::chrono::seconds)> on_oldest = nullptr);

// kFailedPrecondition: `data_dir` goes with a PostgreSQL.
Status ExpectSqlite(const std::filesystem::path& data_dir);

// Notes that `data_dir` goes with the PostgreSQL that `description` names.
Status WriteStorePlace(const std::filesystem::path& data_dir,
                       const std::string& description);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_OPEN_STORE_H_
