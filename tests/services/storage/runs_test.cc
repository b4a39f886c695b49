// The queue of runs, and their leases.

#include "tests/services/storage/runs_fixture.h"

namespace assay::storage {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

TEST_P(RunsTest, KeepsEveryFieldOfAQueuedRun) {
  const RunRecord queued = NewRun(v1::Run::KIND_FINAL);
  RunRecord submitted = queued;
  submitted.submission = 2;
  submitted.push = PushId("psh_1");
  ASSERT_THAT(
      Write([=](Transaction& tx) { return tx.runs.Enqueue(submitted); }),
      IsOk());
  const RunRecord run = Get(queued.id);
  EXPECT_EQ(run.attempt, queued.attempt);
  EXPECT_EQ(run.assignment, queued.assignment);
  EXPECT_EQ(run.kind, v1::Run::KIND_FINAL);
  EXPECT_EQ(run.commit, queued.commit);
  EXPECT_EQ(run.plan_digest, queued.plan_digest);
  EXPECT_EQ(run.trace_id, queued.trace_id);
  EXPECT_EQ(run.seed, queued.seed);
  EXPECT_EQ(run.submission, 2);
  EXPECT_EQ(run.push, PushId("psh_1"));
  EXPECT_EQ(run.queue_time, queued.queue_time);
  EXPECT_EQ(run.state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(run.epoch, 0);
}

TEST_P(RunsTest, FinalBeforePushBeforeRegradeAndThenInOrder) {
  const RunId regrade = Enqueue(v1::Run::KIND_REGRADE);
  const RunId first = Enqueue(v1::Run::KIND_FINAL);
  const RunId push = Enqueue(v1::Run::KIND_PUSH);
  const RunId second = Enqueue(v1::Run::KIND_FINAL);
  std::vector<RunId> order;
  while (const auto run = Take()) order.push_back(run->id);
  EXPECT_THAT(order, ElementsAre(first, second, push, regrade));
}

TEST_P(RunsTest, AssignmentsTakeTurns) {
  const auto enqueue = [&](v1::Run::Kind kind, const std::string& assignment) {
    RunRecord run = NewRun(kind);
    run.assignment = AssignmentId(assignment);
    EXPECT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(run); }),
                IsOk());
    return run.id;
  };
  std::vector<RunId> many;
  for (int i = 0; i < 4; ++i)
    many.push_back(enqueue(v1::Run::KIND_FINAL, "many"));
  const RunId few = enqueue(v1::Run::KIND_FINAL, "few");
  const RunId more = enqueue(v1::Run::KIND_FINAL, "more");
  // What matters more comes first, whoever has runs under way.
  const RunId late = enqueue(v1::Run::KIND_PUSH, "late");
  std::vector<RunId> taken;
  for (int i = 0; i < 7; ++i) {
    const std::optional<RunRecord> run = Take();
    ASSERT_TRUE(run.has_value());
    taken.push_back(run->id);
    // One has ended: its assignment has as many under way as the others.
    if (run->id == more) ASSERT_THAT(Finish(*run), IsOk());
  }
  EXPECT_THAT(taken,
              ElementsAre(many[0], few, more, many[1], many[2], many[3], late));
  EXPECT_FALSE(Take().has_value());
}

TEST_P(RunsTest, ANewerPushReplacesTheQueuedOneOfItsAttempt) {
  const RunId final_run = Enqueue(v1::Run::KIND_FINAL);
  const RunId old = Enqueue(v1::Run::KIND_PUSH);
  RunRecord other = NewRun(v1::Run::KIND_PUSH);
  other.attempt = AttemptId("att_other");
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(other); }),
              IsOk());
  const RunId newer = Enqueue(v1::Run::KIND_PUSH);

  EXPECT_EQ(Get(old).state, v1::Run::STATE_SUPERSEDED);
  EXPECT_EQ(Get(newer).state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(Get(final_run).state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(Get(other.id).state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(Events(old).back().state_changed().state(),
            v1::Run::STATE_SUPERSEDED);
}

TEST_P(RunsTest, ARunningPushIsNotReplaced) {
  const RunId running = Enqueue(v1::Run::KIND_PUSH);
  Take();
  Enqueue(v1::Run::KIND_PUSH);
  EXPECT_EQ(Get(running).state, v1::Run::STATE_RUNNING);
}

TEST_P(RunsTest, APushThatIsLostAfterANewerOneDoesNotWaitBesideIt) {
  const RunId lost = Enqueue(v1::Run::KIND_PUSH);
  const RunRecord first = *Take();
  const RunId newer = Enqueue(v1::Run::KIND_PUSH);
  ASSERT_THAT(HandBack(first), IsOk());
  const RunRecord replaced = Get(lost);
  EXPECT_EQ(replaced.state, v1::Run::STATE_SUPERSEDED);
  EXPECT_THAT(replaced.outcome_reason, ::testing::HasSubstr("newer push"));
  EXPECT_EQ(replaced.finish_time, clock_.Now());

  // The newest one has nothing to give way to.
  const RunRecord second = *Take();
  EXPECT_EQ(second.id, newer);
  ASSERT_THAT(HandBack(second), IsOk());
  EXPECT_EQ(Get(newer).state, v1::Run::STATE_QUEUED);
}

TEST_P(RunsTest, EachLeaseHasAHigherEpochAndFencesTheOneBefore) {
  Enqueue(v1::Run::KIND_FINAL);
  const RunRecord first = *Take("w1");
  EXPECT_EQ(first.epoch, 1);
  EXPECT_EQ(first.lease_expiry, clock_.Now() + kTtl);
  ASSERT_THAT(HandBack(first), IsOk());
  const RunRecord second = *Take("w2");
  EXPECT_EQ(second.epoch, 2);

  EXPECT_THAT(Append(first.id, 1, 1, {PhaseEvent("build")}),
              FailsWith(Code::kAborted, "stale"));
  EXPECT_THAT(Write([&, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Renew(first.id, 1, now, kTtl);
              }),
              FailsWith(Code::kAborted));
  EXPECT_THAT(Finish(first), FailsWith(Code::kAborted));
  EXPECT_THAT(HandBack(first), FailsWith(Code::kAborted));
  EXPECT_EQ(Get(first.id).worker, WorkerId("w2"));
}

TEST_P(RunsTest, ARunIsLeasedToOneWorkerOnly) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  EXPECT_TRUE(Take("w1"));
  EXPECT_FALSE(Take("w2"));
  // Also by whoever saw it in the queue before.
  const auto again = Write([id, now = clock_.Now()](Transaction& tx) {
    return tx.runs.Lease(id, WorkerId("w2"), now, kTtl);
  });
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->has_value());
  EXPECT_EQ(Get(id).worker, WorkerId("w1"));
}

TEST_P(RunsTest, ARenewedLeaseDoesNotExpire) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const RunRecord run = *Take();
  clock_.Advance(kTtl - std::chrono::seconds(1));
  ASSERT_THAT(Write([&, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Renew(id, run.epoch, now, kTtl);
              }),
              IsOk());
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_THAT(*Expire(), IsEmpty());
  clock_.Advance(kTtl);
  EXPECT_EQ(Expire()->size(), 1);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_QUEUED);
}

TEST_P(RunsTest, ARunThatWasQueuedAgainKeepsItsPlace) {
  const RunId first = Enqueue(v1::Run::KIND_FINAL);
  const RunId second = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(HandBack(*Take(), false), IsOk());
  EXPECT_EQ(Take()->id, first);
  EXPECT_EQ(Take()->id, second);
}

TEST_P(RunsTest, TheThirdLossSetsARunAsideUnscored) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  for (int loss = 1; loss <= 3; ++loss) {
    ASSERT_TRUE(Take()) << "before loss " << loss;
    clock_.Advance(kTtl);
    ASSERT_EQ(Expire()->size(), 1);
  }
  const RunRecord run = Get(id);
  EXPECT_EQ(run.state, v1::Run::STATE_FINISHED);
  EXPECT_EQ(run.outcome, v1::Run::OUTCOME_ERRORED);
  EXPECT_FALSE(run.score);
  EXPECT_THAT(run.outcome_reason, ::testing::HasSubstr("fell silent"));
  EXPECT_FALSE(Take());
}

TEST_P(RunsTest, HandingBackWithoutFaultIsNoLoss) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  for (int i = 0; i < 5; ++i) ASSERT_THAT(HandBack(*Take(), false), IsOk());
  EXPECT_EQ(Get(id).losses, 0);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_QUEUED);
}

TEST_P(RunsTest, TheOldestIsLeasedAtOnceWhereAllWaitInOneLane) {
  using Among = RunTable::Among;
  const auto lease = [&](const std::string& lane,
                         Among among = Among::kNobody) {
    return Write([=, now = clock_.Now()](Transaction& tx) {
             return tx.runs.LeaseOldest(lane, WorkerId("w1"), now, kTtl, among);
           })
        .value();
  };
  RunRecord limited = NewRun(v1::Run::KIND_FINAL);
  limited.at_once = 1;
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(limited); }),
              IsOk());
  const RunId next = Enqueue(v1::Run::KIND_REGRADE);
  EXPECT_FALSE(lease("another"));
  EXPECT_FALSE(lease("orders", Among::kBeside)) << "others may be beside it";
  const auto first = lease("orders");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->run.id, limited.id);
  EXPECT_EQ(first->run.epoch, 1);
  EXPECT_EQ(first->events.back().state_changed().state(),
            v1::Run::STATE_RUNNING);
  // Its attempt has as many under way as this one may be beside.
  RunRecord again = NewRun(v1::Run::KIND_FINAL);
  again.at_once = 1;
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(again); }),
              IsOk());
  EXPECT_EQ(lease("orders")->run.id, next);
  EXPECT_FALSE(lease("orders"));
  const RunRecord urgent = NewRun(v1::Run::KIND_FINAL);
  RunRecord first_of_all = urgent;
  first_of_all.queue_time -= std::chrono::hours(1);
  ASSERT_THAT(
      Write([=](Transaction& tx) { return tx.runs.Enqueue(first_of_all); }),
      IsOk());
  EXPECT_FALSE(lease("another", Among::kBeside));
  EXPECT_EQ(lease("orders", Among::kBeside)->run.id, urgent.id);
  // With another lane, whose turn it is takes more than that to say.
  Enqueue(v1::Run::KIND_FINAL);
  RunRecord other = NewRun(v1::Run::KIND_FINAL);
  other.needs = "cpus=2000";
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(other); }),
              IsOk());
  EXPECT_FALSE(lease("orders"));
  EXPECT_FALSE(lease("orders", Among::kBeside));
}

TEST_P(RunsTest, SaysWhetherAnythingIsQueued) {
  const auto any = [&] {
    return Read([](Transaction& tx) { return tx.runs.AnyQueued(); }).value();
  };
  EXPECT_FALSE(any());
  Enqueue(v1::Run::KIND_FINAL);
  EXPECT_TRUE(any());
  Take();
  EXPECT_FALSE(any());
}

TEST_P(RunsTest, CancelEndsWhatHasNotEnded) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const auto cancel = [&] {
    return Write([id, now = clock_.Now()](Transaction& tx) {
      return tx.runs.Cancel(id, now, "author asked");
    });
  };
  ASSERT_THAT(cancel(), IsOk());
  EXPECT_EQ(Get(id).outcome, v1::Run::OUTCOME_CANCELLED);
  EXPECT_THAT(cancel(), IsOk());
  const RunId other = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(Finish(*Take()), IsOk());
  EXPECT_THAT(Write([other, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Cancel(other, now, "too late");
              }),
              FailsWith(Code::kFailedPrecondition));
}

TEST_P(RunsTest, PagesThroughAllRunsNewestFirstWhileMoreArrive) {
  for (int i = 0; i < 7; ++i) Enqueue(v1::Run::KIND_FINAL);
  std::vector<std::string> seen;
  Page page{3, ""};
  do {
    const auto found =
        Read([page](Transaction& tx) {
          return tx.runs.List({.attempt = AttemptId("att_1")}, page);
        }).value();
    for (const RunRecord& run : found.items) seen.push_back(run.id.str());
    page.token = found.next_token;
    Enqueue(v1::Run::KIND_FINAL);  // newer than the cursor: shifts nothing
  } while (!page.token.empty());
  EXPECT_THAT(seen, ElementsAre("run_7", "run_6", "run_5", "run_4", "run_3",
                                "run_2", "run_1"));
}

TEST_P(RunsTest, RefusesATokenThatIsNoneOfItsOwn) {
  EXPECT_THAT(Read([](Transaction& tx) {
                return tx.runs.List({}, Page{10, "garbage"});
              }),
              FailsWith(Code::kInvalidArgument, "page_token"));
}

TEST_P(RunsTest, LeasesSurviveReopening) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  Take();
  Reopen();
  const auto running =
      Read([](Transaction& tx) { return tx.runs.ListRunning(); }).value();
  ASSERT_EQ(running.size(), 1);
  EXPECT_EQ(running[0].id, id);
  const auto counts =
      Read([](Transaction& tx) { return tx.runs.Count(); }).value();
  EXPECT_EQ(counts.running, 1);
  EXPECT_EQ(counts.queued, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, RunsTest, ::testing::ValuesIn(StoreKinds()),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace assay::storage
