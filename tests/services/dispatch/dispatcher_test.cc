#include "services/dispatch/dispatcher.h"

#include <gmock/gmock.h>

#include "proto/base/digest.h"
#include "tests/services/dispatch/dispatch_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::dispatch {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using v1::Run;

using DispatcherTest = DispatchFixture;

TEST_F(DispatcherTest, AQueuedRunIsOfferedAtOnceToAnIdleWorker) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_PUSH);
  const auto lease = ExpectLease(worker);
  EXPECT_EQ(lease.run(), run.str());
  EXPECT_EQ(lease.epoch(), 1u);
  EXPECT_EQ(lease.kind(), Run::KIND_PUSH);
  EXPECT_EQ(lease.seed(), 7u);
  EXPECT_EQ(lease.plan_digest(), plan_digest_);
  EXPECT_EQ(lease.pack_digest(), Sha256Hex("the pack"));
  EXPECT_THAT(lease.traceparent(), HasSubstr(std::string(32, 'a')));
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);
}

TEST_F(DispatcherTest, AWorkerThatBecomesIdleGetsWhatIsQueued) {
  const RunId run = Queue(Run::KIND_PUSH);
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  EXPECT_EQ(ExpectLease(worker).run(), run.str());
}

TEST_F(DispatcherTest, NobodyGetsMoreThanWasAskedForOrThanThereAreSlots) {
  for (int i = 0; i < 4; ++i)
    Queue(Run::KIND_FINAL, "att_" + std::to_string(i));
  const Worker worker = Attach("w1", /*slots=*/2);
  Demand(worker, 100);
  Settle();
  EXPECT_THAT(worker.link->received, SizeIs(3));  // welcome and two leases
  Demand(worker, 100);
  Settle();
  EXPECT_THAT(worker.link->received, SizeIs(3));
}

TEST_F(DispatcherTest, LoadSpreadsOverWorkers) {
  const Worker a = Attach("a", 4);
  const Worker b = Attach("b", 4);
  Demand(a, 4);
  Demand(b, 4);
  for (int i = 0; i < 2; ++i) {
    Queue(Run::KIND_FINAL, "att_" + std::to_string(i));
    Settle();
  }
  EXPECT_TRUE(a.link->Has(AttachResponse::kLease));
  EXPECT_TRUE(b.link->Has(AttachResponse::kLease));
}

TEST_F(DispatcherTest, FinalComesBeforePushBeforeRegrade) {
  const RunId regrade = Queue(Run::KIND_REGRADE, "a");
  const RunId push = Queue(Run::KIND_PUSH, "b");
  const RunId final_run = Queue(Run::KIND_FINAL, "c");
  const Worker worker = Attach("w1", 3);
  for (const RunId& expected : {final_run, push, regrade}) {
    Demand(worker, 1);
    EXPECT_EQ(ExpectLease(worker).run(), expected.str());
  }
}

TEST_F(DispatcherTest, TheNewestPushReplacesItsQueuedOne) {
  const RunId old_push = Queue(Run::KIND_PUSH);
  const RunId new_push = Queue(Run::KIND_PUSH);
  const Worker worker = Attach("w1", 2);
  Demand(worker, 2);
  EXPECT_EQ(ExpectLease(worker).run(), new_push.str());
  Settle();
  EXPECT_FALSE(worker.link->Has(AttachResponse::kLease));
  EXPECT_EQ(Get(old_push).state, Run::STATE_SUPERSEDED);
}

TEST_F(DispatcherTest, AFinishedRunIsScoredAndFreesItsSlot) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId first = Queue(Run::KIND_FINAL, "a");
  const RunId second = Queue(Run::KIND_FINAL, "b");
  const auto lease = ExpectLease(worker);
  Report(worker, lease, 1, {Phase("build"), Passed("one")});
  EXPECT_EQ(Expect(worker, AttachResponse::kAck).ack().next_offset(), 3);
  Report(worker, lease, 3, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Expect(worker, AttachResponse::kAck).ack().next_offset(), 4);
  const auto run = Get(first);
  EXPECT_EQ(run.state, Run::STATE_FINISHED);
  ASSERT_TRUE(run.score.has_value());
  EXPECT_EQ(run.score->earned(), 5);
  EXPECT_EQ(run.score->max(), 10);

  Demand(worker, 1);
  EXPECT_EQ(ExpectLease(worker).run(), second.str());
}

TEST_F(DispatcherTest, DuplicateReportsAreAbsorbedAndGapsAreAnswered) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);
  Report(worker, lease, 1, {Phase("build")});
  Report(worker, lease, 1, {Phase("build"), Phase("checks")});
  Expect(worker, AttachResponse::kAck);
  EXPECT_EQ(Expect(worker, AttachResponse::kAck).ack().next_offset(), 3);
  Report(worker, lease, 7, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Expect(worker, AttachResponse::kAck).ack().next_offset(), 3);
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);
}

TEST_F(DispatcherTest, AnExpiredLeaseGoesToAnotherWorkerAndFencesTheFirst) {
  const Worker zombie = Attach("zombie");
  Demand(zombie, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto old_lease = ExpectLease(zombie);
  const Worker other = Attach("other");
  Demand(other, 1);

  clock_.Advance(options_.lease_ttl);
  Sweep();
  EXPECT_EQ(Expect(zombie, AttachResponse::kRevoke).revoke().epoch(), 1u);
  const auto lease = ExpectLease(other);
  EXPECT_EQ(lease.run(), run.str());
  EXPECT_EQ(lease.epoch(), 2u);
  EXPECT_EQ(Get(run).losses, 1);

  Report(zombie, old_lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Expect(zombie, AttachResponse::kRevoke).revoke().epoch(), 1u);
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);
  Report(other, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(run).state, Run::STATE_FINISHED);
}

TEST_F(DispatcherTest, HeartbeatsKeepALease) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(options_.lease_ttl - std::chrono::milliseconds(1));
    Beat(worker, {HeldOf(lease)});
    Sweep();
  }
  EXPECT_EQ(Get(run).epoch, 1u);
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);
}

TEST_F(DispatcherTest, AHeartbeatForALostLeaseIsToldToStop) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  Queue(Run::KIND_FINAL);
  auto held = HeldOf(ExpectLease(worker));
  held.set_epoch(99);
  Beat(worker, {held});
  EXPECT_EQ(Expect(worker, AttachResponse::kRevoke).revoke().epoch(), 99u);
}

TEST_F(DispatcherTest, AHandBackQueuesAgainInTheOldPlace) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId first = Queue(Run::KIND_FINAL, "a");
  const auto lease = ExpectLease(worker);
  Queue(Run::KIND_FINAL, "b");
  HandBack(worker, lease, /*fault=*/false);
  EXPECT_EQ(Get(first).losses, 0);
  Demand(worker, 1);
  const auto again = ExpectLease(worker);
  EXPECT_EQ(again.run(), first.str());
  EXPECT_EQ(again.epoch(), 2u);
}

TEST_F(DispatcherTest, ARunWaitsForAStoreThatIsDownAndLosesNothing) {
  const Worker worker = Attach("w1");
  pack_ = Unavailable("the blob store does not answer");
  const RunId run = Queue(Run::KIND_FINAL);
  // Once: a worker does not ask again for a lease that it never got.
  Demand(worker, 1);
  for (std::uint64_t round = 1; round <= 5; ++round) {
    Settle();
    // One try for each sweep: a store that is down is not asked without pause.
    EXPECT_EQ(Get(run).epoch, round);
    Sweep();
  }
  EXPECT_EQ(Get(run).losses, 0);
  EXPECT_FALSE(worker.link->Has(AttachResponse::kLease));
  pack_ = "the pack";
  Sweep();
  EXPECT_EQ(ExpectLease(worker).run(), run.str());
}

TEST_F(DispatcherTest, ThreeLossesMakeARunErroredAndNeverScored) {
  const RunId run = Queue(Run::KIND_FINAL);
  for (int loss = 1; loss <= 3; ++loss) {
    const Worker worker = Attach("w" + std::to_string(loss));
    Demand(worker, 1);
    const auto lease = ExpectLease(worker);
    EXPECT_EQ(lease.epoch(), static_cast<std::uint64_t>(loss));
    HandBack(worker, lease, /*fault=*/true);
    Demand(worker, 0);
  }
  const auto record = Get(run);
  EXPECT_EQ(record.state, Run::STATE_FINISHED);
  EXPECT_EQ(record.outcome, Run::OUTCOME_ERRORED);
  EXPECT_FALSE(record.score.has_value());
}

TEST_F(DispatcherTest, AWorkersOwnErroredIsALossAndNoResult) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);
  Report(worker, lease, 1, {Finished(Run::OUTCOME_ERRORED)});
  Settle();
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).losses, 1);
}

TEST_F(DispatcherTest, ABrokenStreamKeepsItsLeaseAndGoesOnOverANewOne) {
  const Worker before = Attach("w1");
  Demand(before, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(before);
  Report(before, lease, 1, {Phase("build")});
  dispatcher_->Closed(before.session);

  const Worker after = Attach("w1", 1, {HeldOf(lease)});
  Settle();
  EXPECT_FALSE(after.link->Has(AttachResponse::kRevoke));
  Report(after, lease, 1, {Phase("build")});
  Report(after, lease, 2, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(run).state, Run::STATE_FINISHED);
  EXPECT_EQ(Get(run).epoch, 1u);
}

TEST_F(DispatcherTest, ALeaseThatWasLostOnItsWayIsQueuedAgainWithoutBlame) {
  const Worker before = Attach("w1");
  Demand(before, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  ExpectLease(before);
  // The worker comes back and does not know of it.
  const Worker after = Attach("w1");
  EXPECT_TRUE(before.link->closed.has_value());
  Settle();
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).losses, 0);
}

TEST_F(DispatcherTest, ARestartedCoordinatorTakesUpItsLeases) {
  const Worker before = Attach("w1");
  Demand(before, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(before);
  // Down for longer than the lease's term.
  clock_.Advance(3 * options_.lease_ttl);
  Restart();
  EXPECT_EQ(before.link->closed->code, Code::kUnavailable);

  const Worker after = Attach("w1", 1, {HeldOf(lease)});
  Sweep();
  EXPECT_EQ(Get(run).epoch, 1u);
  Report(after, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(run).state, Run::STATE_FINISHED);
}

// However well its worker beats; its plan gives it ten minutes.
TEST_F(DispatcherTest, ARunThatGoesOnPastItsLimitIsTakenBack) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId within = Queue(Run::KIND_FINAL, "a");
  const auto lease = ExpectLease(worker);
  Beat(worker, {HeldOf(lease)});
  Sweep();
  EXPECT_EQ(Get(within).state, Run::STATE_RUNNING);
  HandBack(worker, lease, /*fault=*/false);

  options_.run_slack = -std::chrono::minutes(10);
  Restart();
  const Worker stuck = Attach("w2");
  Demand(stuck, 1);
  const auto overdue = ExpectLease(stuck);
  Beat(stuck, {HeldOf(overdue)});
  Sweep();
  EXPECT_THAT(Expect(stuck, AttachResponse::kRevoke).revoke().reason(),
              HasSubstr("past the run's own limit"));
  EXPECT_EQ(Get(within).losses, 1);
  EXPECT_EQ(dispatcher_->counts().overdue, 1u);
}

// Its worker is given a term to tell what it has done meanwhile.
TEST_F(DispatcherTest, ARestartForgetsNoRunsLimit) {
  options_.lease_ttl = std::chrono::milliseconds(1);
  Restart();
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);
  // The steady clock has not moved: what counts is the store's.
  clock_.Advance(std::chrono::minutes(5));
  Restart();
  Sweep();
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);

  clock_.Advance(std::chrono::minutes(6) + std::chrono::seconds(1));
  Restart();
  const Worker back = Attach("w1", 1, {HeldOf(lease)});
  for (int i = 0; i < 500 && Get(run).losses == 0; ++i) Sweep();
  ASSERT_EQ(Get(run).losses, 1);
  EXPECT_THAT(Expect(back, AttachResponse::kRevoke).revoke().reason(),
              HasSubstr("past the run's own limit"));
}

TEST_F(DispatcherTest, APackThatCannotBeMadeIsALoss) {
  pack_ = DataLoss("an object is broken");
  const Worker worker = Attach("w1");
  const RunId run = Queue(Run::KIND_FINAL);
  Demand(worker, 1);
  for (int i = 0; i < 3; ++i) Settle();
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_ERRORED);
  EXPECT_THAT(Get(run).outcome_reason, HasSubstr("object is broken"));
  EXPECT_FALSE(worker.link->Has(AttachResponse::kLease));
}

TEST_F(DispatcherTest, ContentIsReadInChunksAndOnlyByTheLeasesHolder) {
  pack_ = std::string(4 << 20, 'p');
  const Worker worker = Attach("w1");
  const Worker stranger = Attach("stranger");
  Demand(worker, 1);
  Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);

  AttachRequest fetch;
  fetch.mutable_fetch()->set_digest(lease.pack_digest());
  Say(worker, fetch);
  auto chunk = Expect(worker, AttachResponse::kChunk).chunk();
  EXPECT_EQ(chunk.content().size(), std::size_t{3} << 20);
  EXPECT_EQ(chunk.total_bytes(), 4 << 20);
  fetch.mutable_fetch()->set_offset(3 << 20);
  Say(worker, fetch);
  chunk = Expect(worker, AttachResponse::kChunk).chunk();
  EXPECT_EQ(chunk.content().size(), std::size_t{1} << 20);
  EXPECT_EQ(chunk.offset(), 3 << 20);

  Say(stranger, fetch);
  chunk = Expect(stranger, AttachResponse::kChunk).chunk();
  EXPECT_TRUE(chunk.content().empty());
  EXPECT_THAT(chunk.error(), HasSubstr("no lease of this worker"));
}

TEST_F(DispatcherTest, AStrangerCannotReportOrHandBack) {
  const Worker worker = Attach("w1");
  const Worker stranger = Attach("stranger");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(worker);
  Report(stranger, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_TRUE(stranger.link->Has(AttachResponse::kRevoke));
  HandBack(stranger, lease, true);
  Settle();
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);
}

// Whoever ended it said nothing here; its worker's next word is what tells.
TEST_F(DispatcherTest, ALeaseThatTheStoreHasEndedIsTakenFromItsWorker) {
  for (const bool reports : {true, false}) {
    const Worker worker = Attach(reports ? "w1" : "w2");
    Demand(worker, 1);
    const RunId run = Queue(Run::KIND_FINAL);
    const auto lease = ExpectLease(worker);
    ASSERT_TRUE(loop_
                    .Await(store_->Write(
                        [run, now = clock_.Now()](storage::Transaction& tx) {
                          return tx.runs.Cancel(run, now, "a person's wish");
                        }))
                    .has_value());
    if (reports)
      Report(worker, lease, 1, {Phase("build")});
    else
      Beat(worker, {HeldOf(lease)});
    EXPECT_EQ(Expect(worker, AttachResponse::kRevoke).revoke().run(), run.str())
        << (reports ? "report" : "heartbeat");
    EXPECT_EQ(dispatcher_->LeaseCount(), 0u);
  }
}

TEST_F(DispatcherTest, TheFirstMessageMustBeHello) {
  const Worker worker{.link = std::make_shared<FakeLink>(), .session = 0};
  Worker opened = worker;
  opened.session = dispatcher_->Open(opened.link);
  Demand(opened, 1);
  ASSERT_TRUE(opened.link->closed.has_value());
  EXPECT_EQ(opened.link->closed->code, Code::kFailedPrecondition);
}

TEST_F(DispatcherTest, ALeaseThatCrossesAGoodbyeIsAnothersAtOnce) {
  const Worker leaving = Attach("w1");
  const Worker staying = Attach("w2");
  Demand(leaving, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  Settle();
  EXPECT_TRUE(leaving.link->Has(AttachResponse::kLease));
  Goodbye(leaving);
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).losses, 0);
  EXPECT_TRUE(leaving.link->closed);
  Demand(staying, 1);
  EXPECT_EQ(ExpectLease(staying).epoch(), 2u);
  EXPECT_EQ(dispatcher_->counts().taken_back, 1u);
  EXPECT_EQ(dispatcher_->counts().expired, 0u);
}

// However far the granting of a lease has come.
TEST_F(DispatcherTest, AGoodbyeAtAnyMomentCostsARunNothing) {
  for (int steps = 0, sent = 0; sent < 3; ++steps) {
    ASSERT_LT(steps, 500);
    const std::string name = "w" + std::to_string(steps);
    const Worker leaving = Attach(name);
    Demand(leaving, 1);
    const RunId run = Queue(Run::KIND_FINAL, "att_" + name);
    for (int i = 0; i < steps; ++i) {
      loop_.context().restart();
      loop_.context().run_one_for(std::chrono::milliseconds(2));
    }
    Goodbye(leaving);
    sent += leaving.link->Has(AttachResponse::kLease) ? 1 : 0;
    Settle();
    ASSERT_EQ(Get(run).state, Run::STATE_QUEUED) << steps;
    ASSERT_EQ(Get(run).losses, 0) << steps;
    ASSERT_TRUE(loop_
                    .Await(store_->Write(
                        [run, now = clock_.Now()](storage::Transaction& tx) {
                          return tx.runs.Cancel(run, now, "done with");
                        }))
                    .has_value());
  }
  EXPECT_EQ(dispatcher_->LeaseCount(), 0u);
}

TEST_F(DispatcherTest, AGoodbyeLeavesOthersLeasesAlone) {
  const Worker leaving = Attach("w1");
  const Worker staying = Attach("w2");
  Demand(staying, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  ExpectLease(staying);
  Goodbye(leaving);
  EXPECT_EQ(Get(run).state, Run::STATE_RUNNING);
  EXPECT_THAT(dispatcher_->Workers(), SizeIs(1));
}

TEST_F(DispatcherTest, DrainGrantsNothingMoreAndTellsWorkers) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  dispatcher_->Drain();
  EXPECT_TRUE(worker.link->Has(AttachResponse::kDrain));
  Queue(Run::KIND_FINAL);
  Settle();
  EXPECT_FALSE(worker.link->Has(AttachResponse::kLease));
}

TEST_F(DispatcherTest, WorkersAreListedWithWhatTheyDo) {
  const Worker worker = Attach("w1", 3);
  Demand(worker, 3);
  Queue(Run::KIND_FINAL);
  ExpectLease(worker);
  const auto workers = dispatcher_->Workers();
  ASSERT_THAT(workers, SizeIs(1));
  EXPECT_EQ(workers[0].name, "w1");
  EXPECT_EQ(workers[0].slots, 3);
  EXPECT_EQ(workers[0].busy, 1);
  dispatcher_->Closed(worker.session);
  EXPECT_THAT(dispatcher_->Workers(), SizeIs(0));
}

}  // namespace
}  // namespace assay::dispatch
