#include <cstdlib>
#include <string>
#include <vector>

#include "services/cli/child.h"
#include "services/cli/command_line.h"

namespace assay::cli {
namespace {

struct BlobOptions {
  std::string location;
  std::string endpoint;
  std::string region;
};

struct FsckOptions {
  std::string store;
  BlobOptions blobs;
  bool mend = false;
  bool quick = false;
};

struct StoreOptions {
  std::string store;
};

struct FolderOptions {
  std::string folder;
};

struct RestoreOptions {
  std::string folder;
  BlobOptions blobs;
};

struct MoveOptions {
  std::string from;
  std::string to;
  BlobOptions blobs;
};

// The server's program does it: it is what knows the data directory.
Outcome RunServerProgram(Context& context, std::vector<std::string> words) {
  words.insert(words.begin(), {SiblingProgram("assayd"), "--data-dir",
                               context.options().data_dir.string()});
  ASSAY_ASSIGN_OR_RETURN(const pid_t pid, Start({.command = std::move(words)}));
  return static_cast<ExitCode>(Wait(pid));
}

// Not on a command line, which is everybody's to read: it may say more.
void NameStore(const std::string& store) {
  if (!store.empty()) setenv("ASSAY_STORE", store.c_str(), 1);
}

void NameBlobs(const BlobOptions& blobs) {
  if (!blobs.location.empty()) setenv("ASSAY_BLOBS", blobs.location.c_str(), 1);
  if (!blobs.endpoint.empty())
    setenv("ASSAY_S3_ENDPOINT", blobs.endpoint.c_str(), 1);
  if (!blobs.region.empty()) setenv("ASSAY_S3_REGION", blobs.region.c_str(), 1);
}

void AddS3Options(CLI::App& app, BlobOptions& blobs) {
  app.add_option("--s3-endpoint", blobs.endpoint,
                 "S3 server, as for `assay up`")
      ->envname("ASSAY_S3_ENDPOINT");
  app.add_option("--s3-region", blobs.region, "Region, as for `assay up`")
      ->envname("ASSAY_S3_REGION");
}

void AddBlobOptions(CLI::App& app, BlobOptions& blobs) {
  app.add_option("--blobs", blobs.location,
                 "Bucket that the data directory goes with, as for `assay up`")
      ->envname("ASSAY_BLOBS");
  AddS3Options(app, blobs);
}

Outcome Fsck(Context& context, const FsckOptions& options) {
  NameStore(options.store);
  NameBlobs(options.blobs);
  std::vector<std::string> words{"fsck"};
  if (options.mend) words.push_back("--mend");
  if (options.quick) words.push_back("--quick");
  return RunServerProgram(context, std::move(words));
}

Outcome Backup(Context& context, const FolderOptions& options) {
  return RunServerProgram(context, {"backup", options.folder});
}

Outcome MigrateStore(Context& context, const StoreOptions& options) {
  NameStore(options.store);
  return RunServerProgram(context, {"migrate-store"});
}

Outcome MigrateBlobs(Context& context, const MoveOptions& options) {
  NameBlobs(options.blobs);
  std::vector<std::string> words{"migrate-blobs", "--to", options.to};
  if (!options.from.empty())
    words.insert(words.end(), {"--from", options.from});
  return RunServerProgram(context, std::move(words));
}

Outcome Restore(Context& context, const RestoreOptions& options) {
  NameBlobs(options.blobs);
  return RunServerProgram(context, {"restore", options.folder});
}

}  // namespace

void AddAdminCommands(CommandLine& line) {
  CLI::App& group = line.Group(
      line.app(), "admin", "Accounts; check and back up the data directory");
  auto fsck = line.Add<FsckOptions>(
      group, "fsck",
      "Compare store, repositories and blobs with each other; exit code 1 "
      "where "
      "something is broken",
      "  assay admin fsck\n"
      "  assay admin fsck --mend                    with the server stopped",
      Fsck);
  fsck.app.add_flag("--mend", fsck.options->mend,
                    "Put right what can be; with the server stopped");
  fsck.app.add_flag("--quick", fsck.options->quick,
                    "Leave out what reads every object and blob");
  fsck.app
      .add_option("--store", fsck.options->store,
                  "PostgreSQL that the data directory goes with, as for "
                  "`assay up`")
      ->envname("ASSAY_STORE");
  AddBlobOptions(fsck.app, fsck.options->blobs);
  auto migrate = line.Add<StoreOptions>(
      group, "migrate-store",
      "Move the store from SQLite to PostgreSQL, with the server stopped; "
      "every "
      "row is read back before anything counts",
      "  assay admin migrate-store --store postgres://assay@db.example/assay",
      MigrateStore);
  migrate.app
      .add_option("--store", migrate.options->store,
                  "PostgreSQL, postgres://user@host:port/database")
      ->envname("ASSAY_STORE")
      ->required();
  auto move = line.Add<MoveOptions>(
      group, "migrate-blobs",
      "Copy plans and suites to a bucket or back, with the server stopped; "
      "every one is read back, and what is there already is not sent again",
      "  assay admin migrate-blobs --to s3://assay-blobs\n"
      "  assay admin migrate-blobs --from s3://assay-blobs --to local",
      MigrateBlobs);
  move.app.add_option("--from", move.options->from,
                      "s3://BUCKET[/PREFIX], or `local` [where they are]");
  move.app
      .add_option("--to", move.options->to, "s3://BUCKET[/PREFIX], or `local`")
      ->required();
  AddS3Options(move.app, move.options->blobs);
  auto backup = line.Add<FolderOptions>(
      group, "backup", "Copy the installation, also while it serves",
      "  assay admin backup /backup/assay-2026-01-31", Backup);
  backup.app
      .add_option("folder", backup.options->folder,
                  "Where to; must not be there yet")
      ->required();
  auto restore = line.Add<RestoreOptions>(
      group, "restore", "Make a new data directory of a backup, and check it",
      "  assay admin restore /backup/assay-2026-01-31 --data-dir /srv/assay",
      Restore);
  restore.app.add_option("folder", restore.options->folder, "The backup")
      ->required();
  AddBlobOptions(restore.app, restore.options->blobs);
  AddUserCommands(line, group);
  AddNodeCommands(line, group);
}

}  // namespace assay::cli
