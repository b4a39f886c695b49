// Invariants 6-9 at the unit level, through the interface that the dispatcher
// uses.

#include "services/runs/run_queue.h"

#include "tests/services/installation/installation.h"

namespace assay::runs {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::FailsWith;
using testing::IsOk;

constexpr std::chrono::microseconds kTtl = seconds(10);

v1::RunEvent Result(const char* check, v1::Verdict verdict) {
  v1::RunEvent event;
  event.mutable_check_finished()->mutable_result()->set_check_id(check);
  event.mutable_check_finished()->mutable_result()->set_verdict(verdict);
  return event;
}

v1::RunEvent LastWord(v1::Run::Outcome outcome) {
  v1::RunEvent event;
  event.mutable_finished()->set_outcome(outcome);
  event.mutable_finished()->set_reason("because");
  return event;
}

class RunQueueTest : public testing::ServiceTest {
 protected:
  RunQueueTest() {
    assay_.MakeAssignment();
    candidate_ = assay_.Begin();
  }
  RunQueue& queue() { return *assay_.parts().queue; }

  storage::RunRecord Take() {
    return *assay_.loop
                .Await(queue().TakeNext({runs::Room{.worker = WorkerId("w1")}},
                                        kTtl))
                .value();
  }
  Expected<RunQueue::Report> Append(const storage::RunRecord& run,
                                    std::int64_t first,
                                    std::vector<v1::RunEvent> events) {
    return assay_.loop.Await(queue().Append(run, first, std::move(events)));
  }
  storage::RunRecord Get(const RunId& id) {
    return assay_
        .Read([id](storage::Transaction& tx) { return tx.runs.Get(id); })
        .value();
  }

  rpc::Caller candidate_;
};

TEST_F(RunQueueTest, TheLastWordEndsTheRunWithItsScore) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  const auto run = Take();
  const auto report = Append(run, 1,
                             {Result("open", v1::VERDICT_PASSED),
                              LastWord(v1::Run::OUTCOME_COMPLETED)});
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->finished);
  EXPECT_EQ(report->next_offset, 3);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_FINISHED);
  EXPECT_EQ(Get(id).score->earned(), 10);
  EXPECT_EQ(Get(id).score->max(), 10) << "a push run has public checks only";
}

TEST_F(RunQueueTest, AFinalRunCountsHiddenChecks) {
  assay_.Push(candidate_, 'a');
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  const auto run = Take();
  ASSERT_EQ(run.kind, v1::Run::KIND_FINAL);
  ASSERT_THAT(Append(run, 1,
                     {Result("open", v1::VERDICT_PASSED),
                      Result("secret", v1::VERDICT_FAILED),
                      Result("never", v1::VERDICT_PASSED),
                      LastWord(v1::Run::OUTCOME_COMPLETED)}),
              IsOk());
  EXPECT_EQ(Get(run.id).score->earned(), 40);
  EXPECT_EQ(Get(run.id).score->max(), 60);
}

TEST_F(RunQueueTest, ALostAnswerToTheLastReportIsRepeated) {
  assay_.Push(candidate_, 'a');
  const auto run = Take();
  const std::vector<v1::RunEvent> events{LastWord(v1::Run::OUTCOME_COMPLETED)};
  ASSERT_TRUE(Append(run, 1, events)->finished);
  const auto again = Append(run, 1, events);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->finished);
  EXPECT_EQ(again->next_offset, 2);
}

TEST_F(RunQueueTest, AGapStoresNothingAndSaysWhatWasExpected) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  const auto run = Take();
  const auto report = Append(run, 2, {LastWord(v1::Run::OUTCOME_COMPLETED)});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->next_offset, 1);
  EXPECT_FALSE(report->finished);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_RUNNING);
}

TEST_F(RunQueueTest, AFailedBuildIsScoredAsNothingPassed) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  ASSERT_THAT(Append(Take(), 1, {LastWord(v1::Run::OUTCOME_BUILD_FAILED)}),
              IsOk());
  EXPECT_EQ(Get(id).score->earned(), 0);
  EXPECT_EQ(Get(id).score->max(), 10);
  EXPECT_EQ(Get(id).outcome_reason, "because");
}

TEST_F(RunQueueTest, WhoWatchesTheAttemptHearsOfTheEnd) {
  assay_.Push(candidate_, 'a');
  const auto run = Take();
  const auto watch = assay_.parts().feed->WatchAttempt(candidate_.attempt);
  ASSERT_THAT(Append(run, 1, {LastWord(v1::Run::OUTCOME_BUILD_FAILED)}),
              IsOk());
  EXPECT_THAT(assay_.loop.Await(watch->Next()), IsOk());
}

TEST_F(RunQueueTest, OurOwnFaultIsTriedAgainAndNeverScored) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  for (int loss = 1; loss <= 3; ++loss) {
    const auto report = Append(Take(), 1, {LastWord(v1::Run::OUTCOME_ERRORED)});
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->finished);
    EXPECT_EQ(Get(id).losses, loss);
  }
  EXPECT_EQ(Get(id).outcome, v1::Run::OUTCOME_ERRORED);
  EXPECT_FALSE(Get(id).score);
}

TEST_F(RunQueueTest, ACancelledRunHasNoScore) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  ASSERT_THAT(Append(Take(), 1,
                     {Result("open", v1::VERDICT_PASSED),
                      LastWord(v1::Run::OUTCOME_CANCELLED)}),
              IsOk());
  EXPECT_EQ(Get(id).state, v1::Run::STATE_FINISHED);
  EXPECT_FALSE(Get(id).score);
}

TEST_F(RunQueueTest, ADifferentVerdictIsRefusedAndAudited) {
  assay_.Push(candidate_, 'a');
  const auto run = Take();
  ASSERT_THAT(Append(run, 1, {Result("open", v1::VERDICT_FAILED)}), IsOk());
  EXPECT_THAT(Append(run, 2, {Result("open", v1::VERDICT_PASSED)}),
              FailsWith(Code::kFailedPrecondition, "open"));
  const auto audit = assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); });
  EXPECT_EQ(audit->back().action, "run.verdict_refused");
}

TEST_F(RunQueueTest, AStaleWorkerIsRefusedEverywhere) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  const auto old = Take();
  assay_.clock.Advance(kTtl);
  ASSERT_EQ(assay_.loop.Await(queue().ExpireLeases())->size(), 1);
  const auto current = Take();
  EXPECT_EQ(current.epoch, 2);
  EXPECT_THAT(Append(old, 1, {LastWord(v1::Run::OUTCOME_COMPLETED)}),
              FailsWith(Code::kAborted));
  EXPECT_THAT(assay_.loop.Await(queue().Renew(id, old.epoch, kTtl)),
              FailsWith(Code::kAborted));
  EXPECT_THAT(assay_.loop.Await(queue().HandBack(id, old.epoch, "x", true)),
              FailsWith(Code::kAborted));
  EXPECT_THAT(assay_.loop.Await(queue().Abandon(
                  id, old.epoch, v1::Run::OUTCOME_TIMED_OUT, "too long")),
              FailsWith(Code::kAborted));
  EXPECT_EQ(Get(id).state, v1::Run::STATE_RUNNING);
}

TEST_F(RunQueueTest, TheCoordinatorEndsASilentRunWithWhatItHas) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  const auto run = Take();
  ASSERT_THAT(Append(run, 1, {Result("open", v1::VERDICT_PASSED)}), IsOk());
  ASSERT_THAT(assay_.loop.Await(queue().Abandon(
                  id, run.epoch, v1::Run::OUTCOME_TIMED_OUT, "too long")),
              IsOk());
  EXPECT_EQ(Get(id).outcome, v1::Run::OUTCOME_TIMED_OUT);
  EXPECT_EQ(Get(id).score->earned(), 10);
}

TEST_F(RunQueueTest, WatchersHearOfWhatBecameDurableInOrder) {
  auto states = assay_.parts().feed->WatchStates();
  const RunId id = assay_.Push(candidate_, 'a').run;
  auto watch = assay_.parts().feed->WatchRun(id);
  const auto run = Take();
  ASSERT_THAT(Append(run, 1,
                     {Result("open", v1::VERDICT_PASSED),
                      LastWord(v1::Run::OUTCOME_COMPLETED)}),
              IsOk());
  const auto batch = assay_.loop.Await(watch->Next());
  std::int64_t sequence = 1;  // queued came before the watch
  for (const SharedEvent& event : batch->events)
    EXPECT_EQ(event->sequence(), ++sequence);
  EXPECT_EQ(sequence, 5);
  EXPECT_EQ(batch->events.back()->state_changed().state(),
            v1::Run::STATE_FINISHED);
  EXPECT_THAT(assay_.loop.Await(states->Next())->runs,
              ::testing::ElementsAre(id));
}

}  // namespace
}  // namespace assay::runs
