#include "services/maintenance/backup.h"

#include <string>
#include <utility>
#include <vector>

#include "services/maintenance/fsck.h"
#include "services/maintenance/manifest.h"
#include "services/maintenance/repository_check.h"
#include "services/maintenance/snapshot.h"
#include "services/repositories/durable_files.h"
#include "services/repositories/handles.h"
#include "services/repositories/history.h"
#include "services/storage/blobs/open_blobs.h"
#include "services/storage/open_store.h"
#include "services/storage/sqlite/sqlite_connection.h"

namespace assay::maintenance {
namespace {

namespace fs = std::filesystem;
using storage::RepositoryRecord;

// "store.db.partial" beside its place, gone unless it is kept.
class Draft {
 public:
  // kAlreadyExists: something is in the place.
  static Expected<Draft> Make(const fs::path& place) {
    if (fs::exists(place) && !fs::is_empty(place))
      return AlreadyExists(place.string(),
                           " is there already: expected a new directory");
    const fs::path draft = place.string() + ".partial";
    std::error_code error;
    fs::remove_all(draft, error);
    if (!error) fs::create_directories(draft, error);
    if (error) return SystemError("make " + draft.string(), error.value());
    fs::permissions(draft, fs::perms::owner_all, error);
    return Draft(place, draft);
  }
  Draft(Draft&& other) noexcept
      : place_(std::move(other.place_)),
        path_(std::exchange(other.path_, fs::path())) {}
  Draft& operator=(Draft&&) = delete;
  ~Draft() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }
  Status Keep() && {
    ASSAY_RETURN_IF_ERROR(repositories::SyncTree(path_));
    std::error_code error;
    fs::remove(place_, error);  // an empty one
    fs::rename(path_, place_, error);
    if (error) return SystemError("keep " + place_.string(), error.value());
    path_.clear();
    return repositories::SyncDirectory(fs::absolute(place_).parent_path());
  }

 private:
  Draft(fs::path place, fs::path path)
      : place_(std::move(place)), path_(std::move(path)) {}
  fs::path place_, path_;
};

class BackupRun {
 public:
  BackupRun(const fs::path& from, const fs::path& to) : from_(from), to_(to) {}

  Expected<BackupReport> Run() {
    ASSAY_RETURN_IF_ERROR(CopyStore());
    ASSAY_ASSIGN_OR_RETURN(snapshot_, Snapshot::Open(to_));
    for (const char* name :
         {"admin.token", "worker.token", "receipt.key", "node",
          "worker-authority.pem", storage::kBlobsPlaceFile})
      if (fs::exists(from_ / name)) ASSAY_RETURN_IF_ERROR(Copy(name));
    ASSAY_RETURN_IF_ERROR(CopyTree("blobs"));
    ASSAY_RETURN_IF_ERROR(CopyTree("repositories/templates"));
    ASSAY_RETURN_IF_ERROR(CopyRepositories());
    snapshot_.reset();
    // What reading the copy has left beside it.
    for (const char* name : {"store.db-wal", "store.db-shm"})
      fs::remove(to_ / name);
    ASSAY_RETURN_IF_ERROR(AddStore());
    ASSAY_RETURN_IF_ERROR(manifest_.Write(to_));
    report_.files = static_cast<int>(manifest_.entries().size());
    report_.bytes = manifest_.bytes();
    return report_;
  }

 private:
  Status CopyStore();
  Status AddStore();
  Status Copy(const std::string& path);
  // Files that are written beside their place and renamed; drafts are left out.
  Status CopyTree(const std::string& path);
  Status CopyRepositories();
  Status CopyRepository(const RepositoryRecord& record);
  Status WriteRefs(const std::string& path, const ExpectedRepository& expected,
                   const std::vector<repositories::RefTip>& live);

  const fs::path& from_;
  const fs::path& to_;
  std::unique_ptr<Snapshot> snapshot_;
  Manifest manifest_;
  BackupReport report_;
};

Status BackupRun::CopyStore() {
  ASSAY_ASSIGN_OR_RETURN(
      const auto store,
      storage::SqliteConnection::Open(
          from_ / "store.db", storage::SqliteConnection::Access::kWrite));
  // One read transaction: what is committed by now, and nothing after.
  ASSAY_RETURN_IF_ERROR(
      store->Execute("VACUUM INTO $1", {(to_ / "store.db").string()}));
  return {};
}

// By a second copy, which is the one that is listed: the first was opened.
Status BackupRun::AddStore() {
  fs::rename(to_ / "store.db", to_ / "store.db.read");
  auto entry = CopyFile(to_ / "store.db.read", to_ / "store.db");
  if (!entry) return std::unexpected(entry.error());
  manifest_.Add("store.db", *entry);
  fs::remove(to_ / "store.db.read");
  return {};
}

Status BackupRun::Copy(const std::string& path) {
  ASSAY_ASSIGN_OR_RETURN(const Manifest::Entry entry,
                         CopyFile(from_ / path, to_ / path));
  manifest_.Add(path, entry);
  return {};
}

Status BackupRun::CopyTree(const std::string& path) {
  std::error_code error;
  fs::recursive_directory_iterator entries(from_ / path, error), end;
  for (; !error && entries != end; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (name.starts_with("tmp") || name.starts_with(".draft")) {
      if (entries->is_directory()) entries.disable_recursion_pending();
      continue;
    }
    if (entries->is_regular_file()) {
      const Status copied = Copy(fs::relative(entries->path(), from_).string());
      if (!copied && copied.error().code != Code::kNotFound) return copied;
    }
  }
  if (error) return SystemError("read " + path, error.value());
  return {};
}

Status BackupRun::CopyRepositories() {
  storage::Page page{storage::Page::kMaxSize, ""};
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto batch,
                           snapshot_->tx().repositories.List(page));
    for (const RepositoryRecord& record : batch.items) {
      const Status copied = CopyRepository(record);
      if (!copied)
        return std::unexpected(copied.error().Within(record.id.str()));
      ++report_.repositories;
    }
    page.token = batch.next_token;
  } while (!page.token.empty());
  return {};
}

Status BackupRun::CopyRepository(const RepositoryRecord& record) {
  const std::string path = "repositories/attempts/" + record.id.str() + ".git";
  ASSAY_ASSIGN_OR_RETURN(const ExpectedRepository expected,
                         ReadExpected(snapshot_->tx(), record));
  for (const char* name : {"HEAD", "config"})
    ASSAY_RETURN_IF_ERROR(Copy(path + "/" + name));
  ASSAY_RETURN_IF_ERROR(CopyTree(path + "/objects"));
  ASSAY_ASSIGN_OR_RETURN(const auto repository,
                         repositories::OpenBare(from_ / path));
  ASSAY_ASSIGN_OR_RETURN(const auto live,
                         repositories::ReadRefs(repository.get()));
  return WriteRefs(path, expected, live);
}

Status BackupRun::WriteRefs(const std::string& path,
                            const ExpectedRepository& expected,
                            const std::vector<repositories::RefTip>& live) {
  std::map<std::string, std::string> refs = expected.tips;
  for (const auto& [number, commit] : expected.submissions)
    refs["refs/submissions/" + std::to_string(number)] = commit;
  // What a rewritten branch has left.
  for (const repositories::RefTip& tip : live)
    if (tip.name.starts_with("refs/pushes/") &&
        expected.commits.contains(tip.commit))
      refs[tip.name] = tip.commit;
  std::string text = "# pack-refs with: sorted \n";
  for (const auto& [name, commit] : refs) text += commit + " " + name + "\n";
  fs::create_directories(to_ / path / "refs");
  const fs::path draft = to_ / path / "refs.draft";
  ASSAY_RETURN_IF_ERROR(repositories::WriteNewFile(draft, text));
  ASSAY_ASSIGN_OR_RETURN(const Manifest::Entry entry,
                         CopyFile(draft, to_ / path / "packed-refs"));
  fs::remove(draft);
  manifest_.Add(path + "/packed-refs", entry);
  return {};
}

// Empty directories are in no manifest, and git wants these.
void MakeGitDirectories(const fs::path& repositories) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(repositories, error))
    for (const char* name : {"refs", "objects/pack", "objects/info"})
      fs::create_directories(entry.path() / name, error);
}

Status CheckRestored(const fs::path& data_dir,
                     const storage::BlobPlace& blobs) {
  ASSAY_ASSIGN_OR_RETURN(const FsckReport report,
                         Fsck({.data_dir = data_dir, .blobs = blobs}));
  for (const Finding& finding : report.findings)
    if (finding.kind == Finding::Kind::kBroken)
      return DataLoss("the backup does not hold together: ", finding.where,
                      ": ", finding.what);
  return {};
}

}  // namespace

Expected<BackupReport> Backup(const fs::path& data_dir, const fs::path& to) {
  repositories::StartLibgit2();
  if (fs::exists(data_dir / storage::kStorePlaceFile))
    return FailedPrecondition(
        data_dir.string(),
        " keeps its store in PostgreSQL: back that up first (pg_dump), then "
        "copy the data directory; objects are there before rows tell of them");
  if (!fs::exists(data_dir / "store.db"))
    return NotFound("there is no store in ", data_dir.string(),
                    ": expected the --data-dir of an assayd");
  ASSAY_ASSIGN_OR_RETURN(
      const MaintenanceLock lock,
      MaintenanceLock::Take(data_dir, MaintenanceLock::Kind::kBackup));
  ASSAY_ASSIGN_OR_RETURN(Draft draft, Draft::Make(to));
  ASSAY_ASSIGN_OR_RETURN(const BackupReport report,
                         BackupRun(data_dir, draft.path()).Run());
  ASSAY_RETURN_IF_ERROR(std::move(draft).Keep());
  return report;
}

Expected<BackupReport> Restore(const fs::path& backup, const fs::path& data_dir,
                               const storage::BlobPlace& blobs) {
  ASSAY_ASSIGN_OR_RETURN(const Manifest manifest, Manifest::Read(backup));
  ASSAY_ASSIGN_OR_RETURN(Draft draft, Draft::Make(data_dir));
  for (const auto& [path, expected] : manifest.entries()) {
    const auto copied = CopyFile(backup / path, draft.path() / path);
    if (!copied && copied.error().code == Code::kNotFound)
      return DataLoss(path, " is missing from the backup");
    if (!copied) return std::unexpected(copied.error());
    if (copied->digest != expected.digest)
      return DataLoss(path, " is damaged in the backup: its digest is ",
                      copied->digest, ", expected ", expected.digest);
  }
  for (const char* kind : {"attempts", "templates"})
    MakeGitDirectories(draft.path() / "repositories" / kind);
  ASSAY_RETURN_IF_ERROR(CheckRestored(draft.path(), blobs));
  for (const char* name : {"store.db-wal", "store.db-shm"})
    fs::remove(draft.path() / name);
  BackupReport report{.files = static_cast<int>(manifest.entries().size()),
                      .bytes = manifest.bytes()};
  ASSAY_RETURN_IF_ERROR(std::move(draft).Keep());
  return report;
}

}  // namespace assay::maintenance
