#include "services/runs/run_feed.h"

#include <gtest/gtest.h>

#include "tests/testing/event_loop.h"
#include "tests/testing/matchers.h"

namespace assay::runs {
namespace {

using ::testing::ElementsAre;
using testing::EventLoop;
using testing::FailsWith;
using ::testing::IsEmpty;

const RunId kRun("run_1");

v1::RunEvent Event(std::int64_t sequence) {
  v1::RunEvent event;
  event.set_sequence(sequence);
  event.mutable_phase_started()->set_phase("build");
  return event;
}

v1::RunEvent Queued(std::int64_t sequence) {
  v1::RunEvent event;
  event.set_sequence(sequence);
  event.mutable_state_changed()->set_state(v1::Run::STATE_QUEUED);
  return event;
}

std::vector<std::int64_t> Sequences(const RunFeed::Watch::Batch& batch) {
  std::vector<std::int64_t> sequences;
  for (const SharedEvent& event : batch.events)
    sequences.push_back(event->sequence());
  return sequences;
}

std::vector<SharedEvent> Heard(std::vector<std::int64_t> sequences) {
  std::vector<SharedEvent> events;
  for (const std::int64_t sequence : sequences)
    events.push_back(std::make_shared<const v1::RunEvent>(Event(sequence)));
  return events;
}

class RunFeedTest : public ::testing::Test {
 protected:
  EventLoop loop_;
  RunFeed feed_{loop_.executor(), {.max_waiting = 4}};
};

TEST_F(RunFeedTest, AWatcherHearsOfItsRunOnly) {
  auto watch = feed_.WatchRun(kRun);
  feed_.Publish(RunId("run_2"), {Event(1)});
  feed_.Publish(kRun, {Event(1), Event(2)});
  feed_.Publish(kRun, {Event(3)});
  EXPECT_THAT(Sequences(*loop_.Await(watch->Next())), ElementsAre(1, 2, 3));
}

TEST_F(RunFeedTest, ASleepingWatcherIsWoken) {
  auto watch = feed_.WatchRun(kRun);
  std::vector<std::int64_t> seen;
  auto follow =
      [](RunFeed::Watch* from,
         std::vector<std::int64_t>* to) -> boost::asio::awaitable<void> {
    for (const auto sequence : Sequences(*co_await from->Next()))
      to->push_back(sequence);
  };
  loop_.Spawn(follow(watch.get(), &seen));
  loop_.RunReady();
  EXPECT_THAT(seen, ElementsAre());
  feed_.Publish(kRun, {Event(7)});
  loop_.RunUntil([&] { return !seen.empty(); });
  EXPECT_THAT(seen, ElementsAre(7));
}

TEST_F(RunFeedTest, ASlowWatcherGetsAGapAndHoldsUpNobody) {
  auto slow = feed_.WatchRun(kRun);
  auto fast = feed_.WatchRun(kRun);
  for (std::int64_t i = 1; i <= 6; ++i) {
    feed_.Publish(kRun, {Event(i)});
    EXPECT_THAT(Sequences(*loop_.Await(fast->Next())), ElementsAre(i));
  }
  const auto batch = loop_.Await(slow->Next());
  EXPECT_TRUE(batch->gap);
  EXPECT_THAT(Sequences(*batch), ElementsAre(6));
  feed_.Publish(kRun, {Event(7)});
  EXPECT_FALSE(loop_.Await(slow->Next())->gap);
}

TEST_F(RunFeedTest, WhatIsHeardOfAnotherCoordinatorComesOnce) {
  auto watch = feed_.WatchRun(kRun);
  feed_.HearEvents(kRun, Heard({1, 2}));
  feed_.HearEvents(kRun, Heard({2, 3}));
  feed_.Publish(kRun, {Event(4)});
  feed_.HearEvents(kRun, Heard({4}));
  const auto batch = loop_.Await(watch->Next());
  EXPECT_FALSE(batch->gap);
  EXPECT_THAT(Sequences(*batch), ElementsAre(1, 2, 3, 4));
}

// Two that watch for each other would send everything around for ever.
TEST_F(RunFeedTest, AnotherCoordinatorIsToldNothingThatWasHeard) {
  auto elsewhere = feed_.WatchRun(kRun, RunFeed::Watcher::kElsewhere);
  auto here = feed_.WatchRun(kRun);
  feed_.HearEvents(kRun, Heard({1}));
  feed_.HearState(kRun, false);
  feed_.HearUpTo(kRun, 5);
  feed_.Publish(kRun, {Event(6)});
  const auto there = loop_.Await(elsewhere->Next());
  EXPECT_FALSE(there->gap);
  EXPECT_THAT(Sequences(*there), ElementsAre(6));
  EXPECT_THAT(Sequences(*loop_.Await(here->Next())), ElementsAre(1, 6));
}

TEST_F(RunFeedTest, WhoeverWasNotToldOfWhatTheStoreHasReadsIt) {
  auto watch = feed_.WatchRun(kRun);
  feed_.HearEvents(kRun, Heard({1, 2}));
  feed_.HearUpTo(kRun, 2);
  EXPECT_FALSE(loop_.Await(watch->Next())->gap);
  feed_.HearUpTo(kRun, 3);
  EXPECT_TRUE(loop_.Await(watch->Next())->gap);
  // It has read that by now.
  feed_.HearEvents(kRun, Heard({3, 4}));
  EXPECT_THAT(Sequences(*loop_.Await(watch->Next())), ElementsAre(4));
}

TEST_F(RunFeedTest, AStateThatChangedElsewhereIsRead) {
  auto watch = feed_.WatchRun(kRun);
  auto list = feed_.WatchStates();
  int offered = 0;
  feed_.OnQueued([&offered] { ++offered; });
  feed_.HearState(kRun, false);
  EXPECT_EQ(offered, 0);
  feed_.HearState(kRun, true);
  EXPECT_EQ(offered, 1);
  EXPECT_TRUE(loop_.Await(watch->Next())->gap);
  EXPECT_THAT(loop_.Await(list->Next())->runs, ElementsAre(kRun));
}

TEST_F(RunFeedTest, WhereNotesWereLostEverybodyLooksAgain) {
  auto list = feed_.WatchStates();
  auto attempt = feed_.WatchAttempt(AttemptId("att_1"));
  int offered = 0;
  feed_.OnQueued([&offered] { ++offered; });
  feed_.HearAnything();
  EXPECT_THAT(loop_.Await(list->Next()), FailsWith(Code::kUnavailable));
  EXPECT_TRUE(loop_.Await(attempt->Next()));
  EXPECT_EQ(offered, 1);
}

TEST_F(RunFeedTest, OnlyRunsThatAreWatchedHereAreFollowed) {
  std::vector<RunId> followed;
  feed_.OnWatched([&followed](const RunId& run) { followed.push_back(run); });
  auto elsewhere = feed_.WatchRun(RunId("run_2"), RunFeed::Watcher::kElsewhere);
  EXPECT_THAT(feed_.WatchedRuns(), IsEmpty());
  auto here = feed_.WatchRun(kRun);
  EXPECT_THAT(followed, ElementsAre(kRun));
  EXPECT_THAT(feed_.WatchedRuns(), ElementsAre(kRun));
  here.reset();
  EXPECT_THAT(feed_.WatchedRuns(), IsEmpty());
}

TEST_F(RunFeedTest, AListWatcherLearnsOfChangesOfStateOnceEach) {
  auto watch = feed_.WatchStates();
  feed_.Publish(kRun, {Event(1)});
  feed_.Publish(kRun, {Queued(2)});
  feed_.Publish(kRun, {Queued(3)});
  feed_.Publish(RunId("run_2"), {Queued(1)});
  const auto changes = loop_.Await(watch->Next());
  EXPECT_THAT(changes->runs, ElementsAre(kRun, RunId("run_2")));
  EXPECT_FALSE(changes->others);
}

TEST_F(RunFeedTest, AListWatcherLearnsOfWhatIsNoRun) {
  auto watch = feed_.WatchStates();
  feed_.Touch(AttemptId("att_1"));
  feed_.TouchLists();
  const auto changes = loop_.Await(watch->Next());
  EXPECT_THAT(changes->runs, IsEmpty());
  EXPECT_TRUE(changes->others);
  feed_.Publish(kRun, {Queued(1)});
  EXPECT_FALSE(loop_.Await(watch->Next())->others);
}

TEST_F(RunFeedTest, TheDispatcherHearsOfQueuedRuns) {
  int calls = 0;
  feed_.OnQueued([&] { ++calls; });
  feed_.Publish(kRun, {Event(1)});
  EXPECT_EQ(calls, 0);
  feed_.Publish(kRun, {Queued(2)});
  EXPECT_EQ(calls, 1);
}

TEST_F(RunFeedTest, ClosingEndsEveryWatch) {
  auto watch = feed_.WatchRun(kRun);
  auto list = feed_.WatchStates();
  feed_.Publish(kRun, {Event(1)});
  feed_.Close();
  // What came before is still delivered.
  EXPECT_THAT(Sequences(*loop_.Await(watch->Next())), ElementsAre(1));
  EXPECT_THAT(loop_.Await(watch->Next()), FailsWith(Code::kCancelled));
  EXPECT_THAT(loop_.Await(list->Next()), FailsWith(Code::kCancelled));
  EXPECT_THAT(loop_.Await(feed_.WatchRun(kRun)->Next()),
              FailsWith(Code::kCancelled));
}

TEST_F(RunFeedTest, AWatchThatEndsIsForgotten) {
  auto watch = feed_.WatchRun(kRun);
  EXPECT_EQ(feed_.watch_count(), 1);
  watch.reset();
  EXPECT_EQ(feed_.watch_count(), 0);
  feed_.Publish(kRun, {Event(1)});
}

}  // namespace
}  // namespace assay::runs
