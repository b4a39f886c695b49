#ifndef ASSAY_SERVICES_STORAGE_MIGRATIONS_MIGRATIONS_H_
#define ASSAY_SERVICES_STORAGE_MIGRATIONS_MIGRATIONS_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// One step of the schema's history. A step that was released is never edited.
struct Migration {
  std::int32_t version = 0;  // from 1, without gaps
  std::string_view name;
  std::span<const std::string_view> statements;
};

// Every step, in order.
std::span<const Migration> AllMigrations();

// Brings the schema to the last of `migrations`. To be called inside a write
// transaction, so that a step happens whole or not at all.
//
// kFailedPrecondition: the store was written by a newer version, which the
// message says; nothing is touched.
Status Migrate(sql::Connection& connection,
               std::span<const Migration> migrations);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_MIGRATIONS_MIGRATIONS_H_
