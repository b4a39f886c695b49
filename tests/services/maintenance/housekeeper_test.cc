#include "services/maintenance/housekeeper.h"

#include <gmock/gmock.h>

#include <thread>

#include "services/maintenance/backup.h"
#include "services/maintenance/fsck.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/matchers.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;
using maintenance::Housekeeper;
using maintenance::MaintenanceLock;

// A housekeeper of its own on the data of a server that has stopped.
class HousekeeperTest : public ServerFixture {
 protected:
  void Push(int times) {
    v1::AssignmentSpec spec;
    spec.set_allow_force_push(true);
    MakeAssignment(spec);
    attempt_ = MakeAttempt();
    Clone(attempt_);
    for (int i = 0; i < times; ++i) {
      commits_.push_back(Commit("a", std::to_string(i)));
      Git("-C work push -q origin HEAD:main");
    }
    Git("-C work commit -q --amend -m Rewritten");
    Git("-C work push -q -f origin HEAD:main");
    commits_.push_back(Git("-C work rev-parse HEAD"));
    path_ = RepositoryPath(attempt_);
    Stop();
  }
  int Packs() const {
    int packs = 0;
    for (const auto& entry : fs::directory_iterator(path_ / "objects/pack"))
      packs += entry.path().extension() == ".pack" ? 1 : 0;
    return packs;
  }
  // What every round does, and how many repositories it packed.
  int Tidy(int max_packs) {
    EventLoop loop;
    const auto store = *storage::OpenSqlite(options_.data_dir / "store.db");
    const auto repositories = *repositories::Repositories::Open(
        {.root = options_.data_dir / "repositories"});
    git_http::RepositoryQueue queue(loop.executor());
    const auto repository = loop.Await(store->Read(
        [id = RepositoryId(attempt_.repository)](storage::Transaction& tx) {
          return tx.repositories.Get(id);
        }));
    Housekeeper housekeeper(loop.executor(), *store, *repositories, queue,
                            {.erase_expired = {},
                             .repair_refs = {},
                             .data_dir = options_.data_dir,
                             .node = repository->home,
                             .max_packs = max_packs});
    return loop.Await(Count(housekeeper)).value();
  }
  static boost::asio::awaitable<Expected<int>> Count(Housekeeper& housekeeper) {
    co_return co_await housekeeper.TidyAll();
  }

  StartedAttempt attempt_;
  std::vector<std::string> commits_;
  fs::path path_;
};

TEST_F(HousekeeperTest, PutsPacksTogetherAndDropsNothing) {
  Push(6);
  ASSERT_EQ(Packs(), 7);
  // Unreachable, and still somebody's work: no ref, no reflog.
  fs::remove_all(path_ / "refs/pushes");
  EXPECT_EQ(Tidy(100), 0);
  EXPECT_EQ(Packs(), 7);
  EXPECT_EQ(Tidy(2), 1);
  EXPECT_LT(Packs(), 4);
  for (const std::string& commit : commits_)
    Git("-C " + path_.string() + " cat-file -e " + commit + "^{tree}");
  EXPECT_FALSE(maintenance::Fsck({.data_dir = options_.data_dir})->broken());
  Start();
  Commit("b", "1");
  Git("-C work push -q origin HEAD:main");
}

TEST_F(HousekeeperTest, WaitsForABackupToEnd) {
  Push(3);
  const auto lock =
      MaintenanceLock::Take(options_.data_dir, MaintenanceLock::Kind::kBackup);
  ASSERT_THAT(lock, IsOk());
  EXPECT_EQ(Tidy(1), 0);
  EXPECT_EQ(Packs(), 4);
}

TEST_F(HousekeeperTest, RunsByItself) {
  options_.housekeeping_interval = std::chrono::milliseconds(20);
  Restart();
  v1::AssignmentSpec spec;
  spec.mutable_retention()->set_seconds(24L * 3600);
  MakeAssignment(spec);
  attempt_ = MakeAttempt();
  clock_.Advance(std::chrono::hours(40));
  // Submitted by the deadline, then erased by the housekeeper.
  while (fs::exists(RepositoryPath(attempt_))) std::this_thread::yield();
}

}  // namespace
}  // namespace assay::testing
