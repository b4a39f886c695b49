#include "services/maintenance/fsck.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "services/attempts/trial.h"
#include "services/coordinator/data_directory.h"
#include "services/maintenance/await_blobs.h"
#include "services/maintenance/repository_check.h"
#include "services/maintenance/snapshot.h"
#include "services/repositories/handles.h"
#include "services/repositories/integrity.h"
#include "services/storage/blobs/open_blobs.h"
#include "services/storage/sql/inventory.h"

namespace assay::maintenance {
namespace {

namespace fs = std::filesystem;
using storage::RepositoryRecord;

std::string ReadNodeName(const fs::path& data_dir) {
  std::ifstream file(data_dir / "node");
  std::string name;
  file >> name;
  return name;
}

class FsckRun {
 public:
  explicit FsckRun(const FsckOptions& options)
      : options_(options), repositories_(options.data_dir / "repositories") {}

  Expected<FsckReport> Run() && {
    ASSAY_ASSIGN_OR_RETURN(
        blobs_, storage::OpenBlobs(options_.blobs, options_.data_dir));
    ASSAY_ASSIGN_OR_RETURN(snapshot_, OpenSnapshot());
    ASSAY_RETURN_IF_ERROR(CheckStore());
    ASSAY_RETURN_IF_ERROR(CheckBlobs());
    ASSAY_RETURN_IF_ERROR(CheckRepositories());
    ASSAY_RETURN_IF_ERROR(CheckTemplates());
    return std::move(report_);
  }

 private:
  Expected<std::unique_ptr<Snapshot>> OpenSnapshot() const {
    return Snapshot::Open(options_.data_dir, options_.store);
  }
  void Add(Finding::Kind kind, std::string where, std::string what) {
    report_.findings.push_back({kind, std::move(where), std::move(what)});
  }
  void Broken(std::string where, std::string what) {
    Add(Finding::Kind::kBroken, std::move(where), std::move(what));
  }

  Status CheckStore();
  Status CheckFile();
  Status CheckBlobs();
  // kUnavailable where the place of the blobs does not answer.
  Status CheckBlob(const std::string& digest, const std::string& user);
  Status CheckRepositories();
  Status CheckOne(const RepositoryRecord& record);
  Status CheckTemplates();
  void CheckTemplate(const std::string& commit);

  const FsckOptions& options_;
  const fs::path repositories_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<Snapshot> snapshot_;
  // What the data directory is called among those that share its store; empty:
  // it has never served.
  const std::string node_ = ReadNodeName(options_.data_dir);
  std::set<std::string> known_;  // repositories with a row
  FsckReport report_;
};

// What SQLite says of its own file. PostgreSQL looks after its pages and its
// references by itself.
Status FsckRun::CheckFile() {
  storage::sql::Connection& db = snapshot_->connection();
  ASSAY_ASSIGN_OR_RETURN(
      const auto pages,
      db.Execute(options_.quick ? "PRAGMA quick_check(20)"
                                : "PRAGMA integrity_check(20)"));
  for (const auto& row : pages.rows)
    if (row.Text(0) != "ok")
      Broken("store", row.Text(0) + "; restore the store from a backup");
  ASSAY_ASSIGN_OR_RETURN(const auto foreign,
                         db.Execute("PRAGMA foreign_key_check"));
  for (const auto& row : foreign.rows)
    Broken("store", "a row of " + row.Text(0) + " belongs to a row of " +
                        row.Text(2) + " that is not there");
  return {};
}

Status FsckRun::CheckStore() {
  if (options_.store.empty()) ASSAY_RETURN_IF_ERROR(CheckFile());
  const auto audit = snapshot_->tx().audit.Verify();
  if (audit)
    report_.audit_records = static_cast<int>(*audit);
  else
    Broken("store", audit.error().message);
  return {};
}

Status FsckRun::CheckBlobs() {
  ASSAY_ASSIGN_OR_RETURN(const auto versions, storage::sql::ListVersionBlobs(
                                                  snapshot_->connection()));
  for (const auto& version : versions) {
    const std::string user = "assignments/" + version.assignment +
                             ", version " + std::to_string(version.version);
    ASSAY_RETURN_IF_ERROR(
        CheckBlob(version.plan_digest, "the plan of " + user));
    ASSAY_RETURN_IF_ERROR(
        CheckBlob(version.suite_digest, "the suite of " + user));
  }
  return {};
}

Status FsckRun::CheckBlob(const std::string& digest, const std::string& user) {
  ++report_.blobs;
  Expected<bool> there = true;
  if (options_.quick) {
    there = AwaitBlobs(blobs_->Has(digest));
  } else if (const auto read = AwaitBlobs(blobs_->Get(digest)); !read) {
    if (read.error().code == Code::kNotFound)
      there = false;
    else
      there = std::unexpected(read.error());
  }
  if (!there && there.error().code != Code::kDataLoss)
    return std::unexpected(there.error());
  if (!there)
    Broken("blobs/" + digest, user +
                                  " no longer matches its name; restore it "
                                  "from a backup");
  else if (!*there)
    Broken("blobs/" + digest, user + " is missing; restore it from a backup");
  return {};
}

Status FsckRun::CheckRepositories() {
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto batch,
                           snapshot_->tx().repositories.List(page));
    for (const RepositoryRecord& record : batch.items) {
      known_.insert(record.id.str() + ".git");
      // What is at another node is checked there; a copy here is made again
      // from its bundle.
      if (!node_.empty() && !record.home.empty() && record.home != node_)
        continue;
      ASSAY_RETURN_IF_ERROR(CheckOne(record));
    }
    page.token = batch.next_token;
  } while (!page.token.empty());
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(repositories_ / "attempts", error))
    if (entry.path().stem() != attempts::kTrialRepository &&
        !known_.contains(entry.path().filename().string()))
      Add(Finding::Kind::kNote, "repositories/" + entry.path().stem().string(),
          "belongs to no attempt that has started; its start takes it over");
  return {};
}

// Pushes go on while this reads: where something seems wrong, it is looked at
// again beside what the store says by then.
Status FsckRun::CheckOne(const RepositoryRecord& record) {
  ++report_.repositories;
  const fs::path path = repositories_ / "attempts" / (record.id.str() + ".git");
  const RepositoryCheckOptions how{options_.mend, options_.quick};
  ASSAY_ASSIGN_OR_RETURN(ExpectedRepository expected,
                         ReadExpected(snapshot_->tx(), record));
  Findings found =
      CheckRepository(path, repositories_ / "templates", expected, how);
  if (!found.empty() && !options_.mend) {
    ASSAY_ASSIGN_OR_RETURN(const auto later, OpenSnapshot());
    // Erased meanwhile.
    if (!later->tx().repositories.Get(record.id)) return {};
    ASSAY_ASSIGN_OR_RETURN(expected, ReadExpected(later->tx(), record));
    found = CheckRepository(path, repositories_ / "templates", expected, how);
  }
  std::ranges::move(found, std::back_inserter(report_.findings));
  return {};
}

Status FsckRun::CheckTemplates() {
  ASSAY_ASSIGN_OR_RETURN(
      const auto templates,
      storage::sql::ListTemplateCommits(snapshot_->connection()));
  for (const std::string& commit : templates) CheckTemplate(commit);
  return {};
}

void FsckRun::CheckTemplate(const std::string& commit) {
  const std::string where = "templates/" + commit;
  const auto store =
      repositories::OpenBare(repositories_ / "templates" / (commit + ".git"));
  if (!store)
    return Broken(where,
                  "cannot be read; restore it from a backup: every "
                  "repository made from it borrows its objects");
  if (options_.quick) return;
  const auto problems = repositories::CheckReachable(store->get());
  if (!problems) return Broken(where, problems.error().message);
  for (const std::string& problem : *problems)
    Broken(where, problem + "; restore it from a backup");
}

}  // namespace

bool FsckReport::broken() const {
  return std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.kind == Finding::Kind::kBroken;
  });
}

Expected<FsckReport> Fsck(const FsckOptions& options) {
  repositories::StartLibgit2();
  if (!fs::exists(options.data_dir / "repositories"))
    return NotFound("there is no store in ", options.data_dir.string(),
                    ": expected the --data-dir of an assayd");
  std::unique_ptr<coordinator::DataDirectory> lock;
  if (options.mend) {
    ASSAY_ASSIGN_OR_RETURN(lock,
                           coordinator::DataDirectory::Open(options.data_dir));
  }
  return FsckRun(options).Run();
}

}  // namespace assay::maintenance
