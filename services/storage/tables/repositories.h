#ifndef ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_
#define ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

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
  // The node whose disk it is on, and who alone takes pushes for it. The
  // generation grows whenever that changes.
  std::string home;
  std::int64_t generation = 0;
  // The blob that it can be made from elsewhere, and a digest of the ref tips
  // in it; empty while there is none.
  std::string bundle;
  std::string bundle_tips;
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

  // kAborted: the repository's home is another node by now. What is not there
  // has no home: nobody could have moved it.
  Status CheckHome(const RepositoryId& id, const std::string& node);
  // Gives `node` what has no home yet: there was one coordinator only.
  Status TakeHomeless(const std::string& node);
  // Gives `node` all of them: there can be no other.
  Status TakeAll(const std::string& node);
  // Moves a repository that stands as `seen` to `node`. kAborted: it was moved
  // meanwhile, or a newer bundle came.
  Status Move(const RepositoryRecord& seen, const std::string& node);
  // Stores what `record` says of its bundle. kAborted: home or generation are
  // others by now.
  Status SetBundle(const RepositoryRecord& record);
  // Up to `limit` of one home, by id, after `after`.
  Expected<std::vector<RepositoryRecord>> ListAt(const std::string& home,
                                                 const RepositoryId& after,
                                                 std::int32_t limit);
  // Homes, with the number of repositories of each.
  Expected<std::map<std::string, std::int32_t>> CountByHome();

  // Where a template's files are in the blob store; empty: nobody has said.
  Status SetTemplateFiles(const std::string& commit, const std::string& digest);
  Expected<std::string> TemplateFiles(const std::string& commit);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_REPOSITORIES_H_
