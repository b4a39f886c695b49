#include "services/maintenance/backup.h"

#include <gmock/gmock.h>

#include <fstream>
#include <optional>
#include <thread>

#include "services/maintenance/fsck.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;
using maintenance::Backup;
using maintenance::Fsck;
using maintenance::MaintenanceLock;
using maintenance::Restore;

class BackupTest : public ServerFixture {
 protected:
  BackupTest() {
    v1::AssignmentSpec spec;
    spec.set_allow_force_push(true);
    spec.set_allow_tags(true);
    MakeAssignment(spec);
    attempt_ = MakeAttempt();
    Clone(attempt_);
    Commit("a", "1");
    Git("-C work push -q origin HEAD:main");
  }
  std::string Accepted() {
    std::string commits;
    for (const v1::Push& push : Pushes(attempt_))
      if (push.state() == v1::Push::STATE_ACCEPTED)
        commits += push.new_commit() + " ";
    return commits;
  }
  // Stops the server, and starts one on `data_dir`.
  void Move(const fs::path& data_dir) {
    Stop();
    options_.data_dir = data_dir;
    Start();
  }
  fs::path Place(const char* name) { return directory_.path() / name; }

  StartedAttempt attempt_;
};

TEST_F(BackupTest, HoldsWhatWasAcceptedBeforeItAndServesAgain) {
  // A rewritten branch, too: its old tip is part of the record.
  const std::string first = Git("-C work rev-parse HEAD");
  Git("-C work commit -q --amend -m Rewritten");
  Git("-C work push -q -f origin HEAD:main");
  Git("-C work tag -a v1 -m One");
  Git("-C work push -q origin v1");
  const std::string before = Accepted();
  ASSERT_THAT(Backup(options_.data_dir, Place("backup")), IsOk());
  // What came after is not in it.
  Commit("b", "2");
  Git("-C work push -q origin HEAD:main");
  const auto restored = Restore(Place("backup"), Place("restored"));
  ASSERT_THAT(restored, IsOk());
  EXPECT_GT(restored->files, 5);
  Move(Place("restored"));
  EXPECT_EQ(Accepted(), before);
  const std::string path = RepositoryPath(attempt_).string();
  EXPECT_EQ(Git("-C " + path + " rev-parse refs/pushes/" + first), first);
  EXPECT_EQ(Git("-C " + path + " rev-parse refs/tags/v1"),
            Git("-C work rev-parse refs/tags/v1"));
  // The candidate goes on where the backup was.
  Git("-C work push -q -f origin HEAD:main");
  EXPECT_THAT(Fsck({.data_dir = options_.data_dir})->findings,
              ::testing::IsEmpty());
}

TEST_F(BackupTest, IsConsistentWhilePushesGoOn) {
  const std::jthread pusher([this](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      Commit("n", std::to_string(i));
      Git("-C work push -q origin HEAD:main");
    }
  });
  for (int i = 0; i < 4; ++i) {
    const fs::path backup = Place("backup") += std::to_string(i);
    const fs::path restored = Place("restored") += std::to_string(i);
    const std::string before = Accepted();
    ASSERT_THAT(Backup(options_.data_dir, backup), IsOk());
    ASSERT_THAT(Restore(backup, restored), IsOk());
    const auto report = Fsck({.data_dir = restored});
    ASSERT_THAT(report, IsOk());
    EXPECT_THAT(report->findings, ::testing::IsEmpty());
    for (std::size_t at = 0; at < before.size(); at += 41)
      Git("-C " + (restored / "repositories/attempts").string() + "/" +
          attempt_.repository + ".git cat-file -e " + before.substr(at, 40));
  }
}

TEST_F(BackupTest, DamagedOneIsRefusedAndLeavesNothing) {
  ASSERT_THAT(Backup(options_.data_dir, Place("backup")), IsOk());
  for (const auto& entry : fs::recursive_directory_iterator(Place("backup")))
    if (entry.path().extension() == ".pack")
      std::ofstream(entry.path(), std::ios::app) << "x";
  EXPECT_THAT(Restore(Place("backup"), Place("restored")),
              FailsWith(Code::kDataLoss, "is damaged in the backup"));
  EXPECT_FALSE(fs::exists(Place("restored")));
  EXPECT_FALSE(fs::exists(Place("restored.partial")));
  fs::remove(Place("backup") / "store.db");
  EXPECT_THAT(Restore(Place("backup"), Place("restored")),
              FailsWith(Code::kDataLoss));
  fs::remove(Place("backup") / "manifest");
  EXPECT_THAT(Restore(Place("backup"), Place("restored")),
              FailsWith(Code::kNotFound, "no whole backup"));
}

TEST_F(BackupTest, NothingIsOverwritten) {
  ASSERT_THAT(Backup(options_.data_dir, Place("backup")), IsOk());
  EXPECT_THAT(Backup(options_.data_dir, Place("backup")),
              FailsWith(Code::kAlreadyExists, "expected a new directory"));
  EXPECT_THAT(Restore(Place("backup"), options_.data_dir),
              FailsWith(Code::kAlreadyExists, "expected a new directory"));
  EXPECT_THAT(Backup(Place("nowhere"), Place("other")),
              FailsWith(Code::kNotFound, "no store"));
}

class EraseTest : public BackupTest {
 protected:
  // The deadline first: what runs is not erased.
  void Freeze() {
    clock_.Advance(std::chrono::hours(5));
    const auto stub = v1::AttemptService::NewStub(channel());
    v1::GetAttemptRequest ask;
    ask.set_name(attempt_.name);
    v1::GetAttemptResponse answer;
    while (answer.attempt().state() != v1::Attempt::STATE_SUBMITTED)
      ASSERT_TRUE(stub->GetAttempt(As(AdminToken()).get(), ask, &answer).ok());
  }
  grpc::Status Erase() {
    v1::EraseAttemptRequest erase;
    erase.set_name(attempt_.name);
    erase.set_reason("asked for");
    v1::EraseAttemptResponse erased;
    return v1::AttemptService::NewStub(channel())->EraseAttempt(
        As(AdminToken()).get(), erase, &erased);
  }
  std::optional<MaintenanceLock> HoldForBackup() {
    auto lock = MaintenanceLock::Take(options_.data_dir,
                                      MaintenanceLock::Kind::kBackup);
    EXPECT_THAT(lock, IsOk());
    return std::optional<MaintenanceLock>(*std::move(lock));
  }
};

TEST_F(EraseTest, ABackupIsToldOfAndItIsDoneWhenRepeated) {
  Stop();
  options_.removal_patience = std::chrono::milliseconds(120);
  Start();
  Freeze();
  {
    const auto lock = HoldForBackup();
    const grpc::Status status = Erase();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(status.error_message(), ::testing::HasSubstr("nothing was"));
    EXPECT_TRUE(fs::exists(RepositoryPath(attempt_)));
  }
  const grpc::Status done = Erase();
  EXPECT_TRUE(done.ok()) << done.error_message();
  EXPECT_FALSE(fs::exists(RepositoryPath(attempt_)));
  EXPECT_TRUE(Erase().ok());
}

TEST_F(EraseTest, ABackupThatEndsSoonIsWaitedFor) {
  Stop();
  options_.removal_patience = std::chrono::seconds(60);
  Start();
  Freeze();
  auto lock = HoldForBackup();
  std::thread eraser([this] {
    const grpc::Status done = Erase();
    EXPECT_TRUE(done.ok()) << done.error_message();
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(fs::exists(RepositoryPath(attempt_)));
  lock.reset();
  eraser.join();
  EXPECT_FALSE(fs::exists(RepositoryPath(attempt_)));
}

}  // namespace
}  // namespace assay::testing
