#ifndef ASSAY_SERVICES_MAINTENANCE_REPOSITORY_CHECK_H_
#define ASSAY_SERVICES_MAINTENANCE_REPOSITORY_CHECK_H_

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "proto/base/error.h"
#include "services/maintenance/finding.h"
#include "services/storage/tables/repositories.h"
#include "services/storage/transaction.h"

namespace assay::maintenance {

// What the rows say of one repository.
struct ExpectedRepository {
  storage::RepositoryRecord record;
  // The last accepted push of each branch; the template where there is none.
  std::map<std::string, std::string> tips;
  // Of every accepted push, and the template.
  std::set<std::string> commits;
  // By number; empty submissions are left out.
  std::map<int, std::string> submissions;
  // A push is under way or was left open.
  bool open = false;
};

Expected<ExpectedRepository> ReadExpected(
    storage::Transaction& tx, const storage::RepositoryRecord& record);

struct RepositoryCheckOptions {
  // Put right what rows or the template say how to; nobody else may work in
  // the repository.
  bool mend = false;
  // Objects are not read.
  bool quick = false;
};

// Compares the repository at `path` with what the rows say.
Findings CheckRepository(const std::filesystem::path& path,
                         const std::filesystem::path& templates,
                         const ExpectedRepository& expected,
                         const RepositoryCheckOptions& options);

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_REPOSITORY_CHECK_H_
