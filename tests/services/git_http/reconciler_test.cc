#include "services/git_http/reconciler.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "services/storage/sqlite/sqlite_store.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/matchers.h"

// What a kill -9 can leave behind, put there by hand between two starts.

namespace assay::testing {
namespace {

using ::testing::SizeIs;

class ReconcilerTest : public ServerFixture {
 protected:
  ReconcilerTest() {
    MakeAssignment();
    attempt_ = MakeAttempt();
    Clone(attempt_);
    base_ = Git("-C work rev-parse HEAD");
    commit_ = Commit("a", "1");
    Stop();
  }

  // The node whose the repository is.
  std::string HomeIn(storage::Store& store) {
    EventLoop loop;
    return loop
        .Await(store.Read(
            [id = RepositoryId(attempt_.repository)](storage::Transaction& tx) {
              return tx.repositories.Get(id);
            }))
        ->home;
  }

  // An intent as the coordinator records it before git runs.
  void LeaveIntent(const std::string& commit) {
    EventLoop loop;
    const auto store = *storage::OpenSqlite(options_.data_dir / "store.db");
    runs::RunFeed feed(loop.executor());
    attempts::PushRecorder recorder(*store, feed, clock_, HomeIn(*store));
    const auto intent = loop.Await(recorder.RecordPushIntent(
        {.repository = RepositoryId(attempt_.repository),
         .ref = "refs/heads/main",
         .old_commit = base_,
         .new_commit = commit,
         .receive_time = clock_.Now()}));
    ASSERT_THAT(intent, IsOk());
    ASSERT_EQ(intent->refusal, "");
  }

  // Moves the ref behind the coordinator's back.
  void MoveRef(const std::string& commit) {
    Git("-C work push -q " + RepositoryPath(attempt_).string() + " " + commit +
        ":main");
  }

  // The scan runs behind serving.
  v1::Push AwaitPush() {
    for (;;) {
      const auto pushes = Pushes(attempt_);
      if (!pushes.empty()) return pushes.back();
    }
  }

  StartedAttempt attempt_;
  std::string base_, commit_;
};

TEST_F(ReconcilerTest, DiedAfterTheRefMovedThePushIsAccepted) {
  LeaveIntent(commit_);
  MoveRef(commit_);
  Start();
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(1));
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_ACCEPTED);
  EXPECT_NE(pushes[0].run(), "");
  Restart();
  EXPECT_THAT(Pushes(attempt_), SizeIs(1));
}

TEST_F(ReconcilerTest, DiedBeforeTheRefMovedThePushIsRefused) {
  LeaveIntent(commit_);
  Start();
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(1));
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_REFUSED);
  EXPECT_EQ(pushes[0].run(), "");
  // The candidate simply pushes again.
  Git("-C work push -q origin HEAD:main");
  EXPECT_THAT(Pushes(attempt_), SizeIs(2));
}

// Two nodes that start at the same time once stopped at each other's pushes.
TEST_F(ReconcilerTest, WhatMovedAwayAfterItWasListedIsSettledElsewhere) {
  LeaveIntent(commit_);
  MoveRef(commit_);
  EventLoop loop;
  const auto store = *storage::OpenSqlite(options_.data_dir / "store.db");
  const auto repositories = *repositories::Repositories::Open(
      {.root = options_.data_dir / "repositories"});
  runs::RunFeed feed(loop.executor());
  attempts::PushRecorder here(*store, feed, clock_, HomeIn(*store));
  attempts::PushRecorder there(*store, feed, clock_, "there");
  git_http::Reconciler reconciler(here, *repositories, *store, clock_);
  const storage::PushRecord listed =
      loop.Await(here.ListOpenIntents()).value().front();
  ASSERT_THAT(loop.Await(store->Write([&](storage::Transaction& tx) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const auto seen,
                           tx.repositories.Get(listed.repository));
    return tx.repositories.Move(seen, "there");
  })),
              IsOk());
  git_http::Reconciler::Settled settled;
  EXPECT_THAT(loop.Await(reconciler.SettleOne(listed, settled)), IsOk());
  ASSERT_THAT(loop.Await(there.RefusePush(listed.id, "not there")), IsOk());
  EXPECT_THAT(loop.Await(reconciler.SettleOne(listed, settled)), IsOk());
  EXPECT_EQ(settled.confirmed, 0);
  EXPECT_EQ(loop.Await(store->Read([&](storage::Transaction& tx) {
                  return tx.pushes.Get(listed.id);
                }))
                ->refusal,
            "not there");
}

TEST_F(ReconcilerTest, LocksAndObjectsOfAKilledGitDoNotStopLaterPushes) {
  LeaveIntent(commit_);
  const auto path = RepositoryPath(attempt_);
  std::filesystem::create_directories(path / "refs/heads");
  std::filesystem::create_directories(path / "objects/tmp_objdir-incoming-x");
  for (const char* name : {"refs/heads/main.lock", "packed-refs.lock",
                           "HEAD.lock", "objects/pack/tmp_pack_x"})
    std::ofstream(path / name) << "x";
  Start();
  Git("-C work push -q origin HEAD:main");
  EXPECT_EQ(Git("-C " + path.string() + " rev-parse main"), commit_);
  EXPECT_FALSE(std::filesystem::exists(path / "HEAD.lock"));
  EXPECT_FALSE(std::filesystem::exists(path / "objects/tmp_objdir-incoming-x"));
  EXPECT_FALSE(std::filesystem::exists(path / "objects/pack/tmp_pack_x"));
}

TEST_F(ReconcilerTest, LaterPushMovedTheRefOnBothAreAccepted) {
  LeaveIntent(commit_);
  MoveRef(commit_);
  const std::string next = Commit("a", "2");
  LeaveIntent(next);
  MoveRef(next);
  Start();
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(2));
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(pushes[1].state(), v1::Push::STATE_ACCEPTED);
}

TEST_F(ReconcilerTest, PushThatWasRewrittenSinceIsAcceptedAndItsSuccessorRuns) {
  LeaveIntent(commit_);
  MoveRef(commit_);
  Git("-C work commit -q --amend -m Rewritten");
  const std::string rewritten = Git("-C work rev-parse HEAD");
  base_ = commit_;
  LeaveIntent(rewritten);
  Git("-C work push -qf " + RepositoryPath(attempt_).string() + " HEAD:main");
  {
    // The second one got its end.
    EventLoop loop;
    const auto store = *storage::OpenSqlite(options_.data_dir / "store.db");
    runs::RunFeed feed(loop.executor());
    attempts::PushRecorder recorder(*store, feed, clock_, HomeIn(*store));
    const auto open = loop.Await(recorder.ListOpenIntents());
    ASSERT_EQ(open->size(), 2);
    ASSERT_THAT(loop.Await(recorder.ConfirmPush(open->back().id)), IsOk());
  }
  Start();
  const auto pushes = Pushes(attempt_);
  ASSERT_THAT(pushes, SizeIs(2));
  EXPECT_EQ(pushes[0].new_commit(), commit_);
  EXPECT_EQ(pushes[0].state(), v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(pushes[1].state(), v1::Push::STATE_ACCEPTED);
  EXPECT_NE(pushes[1].run(), "");
}

// A deadline over which it was down, and a ref that the power took.
TEST_F(ReconcilerTest, AStartHandsInWhatFellDueAndWritesItsRefAgain) {
  Start();
  Git("-C work push -q origin HEAD:main");
  Stop();
  clock_.Advance(std::chrono::hours(5));
  const auto ref = RepositoryPath(attempt_) / "refs/submissions/1";
  for (int i = 0; i < 2; ++i) {
    Start();
    while (!std::filesystem::exists(ref)) std::this_thread::yield();
    Stop();
    std::filesystem::remove(ref);
  }
}

// Of a push that is under way the ref may have moved and the row be on its way.
TEST_F(ReconcilerTest, ScanLeavesWhatIsUnderWayOrWasOfferedAlone) {
  MoveRef(commit_);
  Git("-C work push -q " + RepositoryPath(attempt_).string() +
      " HEAD:template-v2");
  EventLoop loop;
  const auto store = *storage::OpenSqlite(options_.data_dir / "store.db");
  const auto repositories = *repositories::Repositories::Open(
      {.root = options_.data_dir / "repositories"});
  const RepositoryId id(attempt_.repository);
  runs::RunFeed feed(loop.executor());
  attempts::PushRecorder recorder(*store, feed, clock_, HomeIn(*store));
  git_http::Reconciler reconciler(recorder, *repositories, *store, clock_);
  auto arrival = recorder.Arrive(id, clock_.Now());
  EXPECT_EQ(loop.Await(reconciler.ScanRepositories())->found, 0);
  arrival.reset();
  ASSERT_THAT(loop.Await(store->Write([&](storage::Transaction& tx) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const auto repository, tx.repositories.Get(id));
    return tx.template_offers.Put({.attempt = repository.attempt,
                                   .version = 2,
                                   .branch = "template-v2",
                                   .commit = commit_,
                                   .offer_time = clock_.Now()});
  })),
              IsOk());
  EXPECT_EQ(loop.Await(reconciler.ScanRepositories())->found, 0);
}

TEST_F(ReconcilerTest, RefThatNoPushExplainsGetsOne) {
  MoveRef(commit_);
  Start();
  const v1::Push push = AwaitPush();
  EXPECT_EQ(push.new_commit(), commit_);
  EXPECT_EQ(push.state(), v1::Push::STATE_ACCEPTED);
  Restart();
  EXPECT_THAT(Pushes(attempt_), SizeIs(1));
}

}  // namespace
}  // namespace assay::testing
