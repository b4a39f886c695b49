#ifndef ASSAY_SERVICES_STORAGE_SQL_INVENTORY_H_
#define ASSAY_SERVICES_STORAGE_SQL_INVENTORY_H_

#include <string>
#include <vector>

#include "proto/base/error.h"
#include "services/storage/sql/connection.h"

namespace assay::storage::sql {

// What the store says is kept beside it, for whoever checks that it is there.

// One version of an assignment and the blobs that it needs.
struct VersionBlobs {
  std::string assignment;
  int version = 0;
  std::string plan_digest;
  std::string suite_digest;
};
// Errors: those of the connection, here and below.
Expected<std::vector<VersionBlobs>> ListVersionBlobs(Connection& connection);

// The commit of every template that an assignment or a repository rests on.
Expected<std::vector<std::string>> ListTemplateCommits(Connection& connection);

// The last migration that was applied.
Expected<int> ReadSchemaVersion(Connection& connection);

}  // namespace assay::storage::sql

#endif  // ASSAY_SERVICES_STORAGE_SQL_INVENTORY_H_
