#ifndef ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_
#define ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_

#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// An attempt's git repository.
struct RepositoryRecord {
  RepositoryId id;
  AttemptId attempt;
  // Names the store that the repository borrows objects from.
  std::string template_commit;
  Clock::TimePoint create_time;
};

class RepositoryTable {
 public:
  explicit RepositoryTable(sql::Connection& connection)
      : connection_(connection) {}

  // kAlreadyExists: the id is taken.
  Status Create(const RepositoryRecord& record);
  Expected<RepositoryRecord> Get(const RepositoryId& id);
  // Accepts an id that is gone.
  Status Delete(const RepositoryId& id);
  // Oldest first: what the reconciler walks.
  Expected<PageOf<RepositoryRecord>> List(const Page& page);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_
