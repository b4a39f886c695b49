#include "services/main/admin_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

#include "services/maintenance/backup.h"
#include "services/maintenance/fsck.h"
#include "services/maintenance/migrate_blobs.h"
#include "services/maintenance/migrate_store.h"

namespace assay::admin {
namespace {

using maintenance::Finding;

constexpr int kBroken = 1;
constexpr int kFailed = 3;

int Fail(const Error& error) {
  fmt::print(stderr, "assay: {}\n", error.message);
  return kFailed;
}

const char* Word(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::kNote:
      return "note";
    case Finding::Kind::kMended:
      return "mended";
    case Finding::Kind::kBroken:
      return "BROKEN";
  }
  return "";
}

int RunFsck(const maintenance::FsckOptions& options) {
  const auto report = maintenance::Fsck(options);
  if (!report) return Fail(report.error());
  int broken = 0;
  for (const Finding& finding : report->findings) {
    broken += finding.kind == Finding::Kind::kBroken ? 1 : 0;
    fmt::print("{} {}: {}\n", Word(finding.kind), finding.where, finding.what);
  }
  fmt::print("{} repositories, {} blobs, {} audit records: {}\n",
             report->repositories, report->blobs, report->audit_records,
             broken == 0 ? "all is well" : fmt::format("{} broken", broken));
  return broken == 0 ? 0 : kBroken;
}

int Print(const Expected<maintenance::BackupReport>& report,
          const std::string& what) {
  if (!report) return Fail(report.error());
  fmt::print("{}: {} files, {:.1f} MiB\n", what, report->files,
             static_cast<double>(report->bytes) / (1 << 20));
  return 0;
}

int RunMigrateStore(const std::filesystem::path& data_dir,
                    const std::string& store) {
  const auto report = maintenance::MigrateStore(data_dir, store);
  if (!report) return Fail(report.error());
  fmt::print(
      "moved {} rows of {} tables and read them back; start with --store from "
      "now on\n",
      report->rows, report->tables);
  return 0;
}

struct Places {
  std::string from, to;
};

int RunMigrateBlobs(const std::filesystem::path& data_dir, const Places& places,
                    const storage::BlobPlace& how) {
  const auto report = maintenance::MigrateBlobs(
      {.data_dir = data_dir,
       .from = places.from,
       .to = places.to,
       .endpoint = how.endpoint,
       .region = how.region,
       .progress = [](const maintenance::MovedBlobs& so_far) {
         fmt::print(stderr, "{} of {} blobs\n", so_far.copied + so_far.present,
                    so_far.total);
       }});
  if (!report) return Fail(report.error());
  fmt::print(
      "copied {} blobs ({:.1f} MiB), {} were there already; all read back. "
      "Start with {} from now on\n",
      report->copied, static_cast<double>(report->bytes) / (1 << 20),
      report->present,
      places.to == maintenance::kLocalBlobs ? "no --blobs"
                                            : "--blobs " + places.to);
  return 0;
}

}  // namespace

void AddCommands(CLI::App& app, const std::filesystem::path& data_dir,
                 const std::string& store, const storage::BlobPlace& blobs,
                 std::function<int()>& chosen) {
  app.require_subcommand(0, 1);
  app.fallthrough();
  CLI::App* fsck = app.add_subcommand(
      "fsck",
      "Compare store, repositories and blobs; also while an assayd serves");
  const auto options = std::make_shared<maintenance::FsckOptions>();
  fsck->add_flag("--mend", options->mend,
                 "Put right what can be; with the server stopped");
  fsck->add_flag("--quick", options->quick,
                 "Leave out what reads every object and blob");
  fsck->callback([options, &data_dir, &store, &blobs, &chosen] {
    options->data_dir = data_dir;
    options->store = store;
    options->blobs = blobs;
    chosen = [options] { return RunFsck(*options); };
  });

  const auto folder = std::make_shared<std::filesystem::path>();
  CLI::App* backup = app.add_subcommand(
      "backup", "Copy the installation, also while an assayd serves");
  backup->add_option("folder", *folder, "Where to; must not be there yet")
      ->required();
  backup->callback([folder, &data_dir, &chosen] {
    chosen = [folder, &data_dir] {
      return Print(maintenance::Backup(data_dir, *folder),
                   "backed up to " + folder->string());
    };
  });
  CLI::App* restore = app.add_subcommand(
      "restore", "Make a new data directory of a backup, and check it");
  restore->add_option("folder", *folder, "The backup")->required();
  restore->callback([folder, &data_dir, &blobs, &chosen] {
    chosen = [folder, &data_dir, &blobs] {
      return Print(maintenance::Restore(*folder, data_dir, blobs),
                   "restored to " + data_dir.string());
    };
  });

  CLI::App* migrate = app.add_subcommand(
      "migrate-store",
      "Move the store from SQLite to the PostgreSQL of --store; with the "
      "server stopped");
  migrate->callback([&data_dir, &store, &chosen] {
    chosen = [&data_dir, &store] { return RunMigrateStore(data_dir, store); };
  });

  const auto places = std::make_shared<Places>();
  CLI::App* move = app.add_subcommand(
      "migrate-blobs",
      "Copy the blobs to another place and read them back; with the server "
      "stopped");
  move->add_option("--from", places->from,
                   "s3://BUCKET[/PREFIX], or `local` [where they are]");
  move->add_option("--to", places->to, "s3://BUCKET[/PREFIX], or `local`")
      ->required();
  move->callback([places, &data_dir, &blobs, &chosen] {
    chosen = [places, &data_dir, &blobs] {
      return RunMigrateBlobs(data_dir, *places, blobs);
    };
  });
}

}  // namespace assay::admin
