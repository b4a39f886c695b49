#ifndef ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_
#define ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_

#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// A git repository on disk: a template's store, or an attempt's own.
struct RepositoryRecord {
  RepositoryId id;
  // Empty for a template's store.
  AttemptId attempt;
  // The store that an attempt's repository shares objects with.
  RepositoryId template_store;
  Clock::TimePoint create_time;
};

class RepositoryTable {
 public:
  explicit RepositoryTable(sql::Connection& connection)
      : connection_(connection) {}

  // kAlreadyExists: the id is taken.
  Status Create(const RepositoryRecord& record);
  Expected<RepositoryRecord> Get(const RepositoryId& id);
  // Of attempts, oldest first: what the reconciler walks.
  Expected<PageOf<RepositoryRecord>> ListOfAttempts(const Page& page);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_
