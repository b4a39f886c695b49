#include <cstdlib>
#include <string>
#include <vector>

#include "services/cli/child.h"
#include "services/cli/command_line.h"

namespace assay::cli {
namespace {

struct FsckOptions {
  std::string store;
  bool mend = false;
  bool quick = false;
};

struct StoreOptions {
  std::string store;
};

struct FolderOptions {
  std::string folder;
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

Outcome Fsck(Context& context, const FsckOptions& options) {
  NameStore(options.store);
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

Outcome Restore(Context& context, const FolderOptions& options) {
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
  auto backup = line.Add<FolderOptions>(
      group, "backup", "Copy the installation, also while it serves",
      "  assay admin backup /backup/assay-2026-01-31", Backup);
  backup.app
      .add_option("folder", backup.options->folder,
                  "Where to; must not be there yet")
      ->required();
  auto restore = line.Add<FolderOptions>(
      group, "restore", "Make a new data directory of a backup, and check it",
      "  assay admin restore /backup/assay-2026-01-31 --data-dir /srv/assay",
      Restore);
  restore.app.add_option("folder", restore.options->folder, "The backup")
      ->required();
  AddUserCommands(line, group);
}

}  // namespace assay::cli
