// Which attached workers get runs.
#include <gmock/gmock.h>

#include "tests/services/dispatch/dispatch_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::dispatch {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using v1::Run;

class StandingTest : public DispatchFixture {
 protected:
  using Attached = DispatchFixture::Worker;

  bool IsOffered(const Attached& worker) {
    Demand(worker, 1);
    Settle();
    return worker.link->Has(AttachResponse::kLease);
  }
};

TEST_F(StandingTest, ADrainedWorkerFinishesWhatItHoldsAndGetsNoMore) {
  const Attached worker = Attach("w1", 2);
  Demand(worker, 2);
  const RunId held = Queue(Run::KIND_FINAL, "a");
  const auto lease = ExpectLease(worker);
  SetState("w1", v1::Worker::STATE_DRAINED);
  EXPECT_EQ(Expect(worker, AttachResponse::kStanding).standing().held_back(),
            "drained by Ada: new disk");
  const RunId next = Queue(Run::KIND_FINAL, "b");
  EXPECT_FALSE(IsOffered(worker));
  Report(worker, lease, 1, {Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(held).state, Run::STATE_FINISHED);
  EXPECT_FALSE(IsOffered(worker));
  EXPECT_EQ(dispatcher_->Workers().front().held_back,
            "drained by Ada: new disk");

  SetState("w1", v1::Worker::STATE_ACTIVE);
  EXPECT_THAT(Expect(worker, AttachResponse::kStanding).standing().held_back(),
              IsEmpty());
  EXPECT_EQ(ExpectLease(worker).run(), next.str());
}

TEST_F(StandingTest, ADrainOutlivesBothSides) {
  Attach("w1");
  SetState("w1", v1::Worker::STATE_DRAINED);
  Restart();
  const Attached again = Attach("w1");
  EXPECT_THAT(Expect(again, AttachResponse::kStanding).standing().held_back(),
              HasSubstr("drained by Ada"));
  Queue(Run::KIND_FINAL);
  EXPECT_FALSE(IsOffered(again));
  // Another one is not meant.
  EXPECT_TRUE(IsOffered(Attach("w2")));
}

TEST_F(StandingTest, ThreeRunsInARowThatBlameAWorkerSetItAside) {
  const Attached worker = Attach("w1");
  FailOne(worker);
  FailOne(worker);
  EXPECT_FALSE(worker.link->Has(AttachResponse::kStanding));
  FailOne(worker);
  EXPECT_EQ(Expect(worker, AttachResponse::kStanding).standing().held_back(),
            "set aside: 3 runs in a row ended by its own fault, last: the "
            "launcher died");
  EXPECT_EQ(GetWorker("w1").state, v1::Worker::STATE_QUARANTINED);
  Queue(Run::KIND_FINAL);
  EXPECT_FALSE(IsOffered(worker));
  EXPECT_TRUE(IsOffered(Attach("w2")));
  const auto audit = loop_.Await(store_->Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); }));
  EXPECT_EQ(audit->back().action, "worker.quarantine");
  EXPECT_EQ(audit->back().subject, "workers/w1");
}

TEST_F(StandingTest, ARunThatEndsWellForgivesWhatWasBefore) {
  const Attached worker = Attach("w1");
  FailOne(worker);
  FailOne(worker);
  EXPECT_EQ(GetWorker("w1").faults, 2);
  Queue(Run::KIND_FINAL);
  Demand(worker, 1);
  // Also one that the candidate's service failed: the worker did its part.
  Report(worker, ExpectLease(worker), 1, {Finished(Run::OUTCOME_NEVER_READY)});
  Settle();
  EXPECT_EQ(GetWorker("w1").faults, 0);
  FailOne(worker);
  EXPECT_EQ(GetWorker("w1").faults, 1);
  EXPECT_EQ(GetWorker("w1").state, v1::Worker::STATE_ACTIVE);
}

// It may be the run's own doing: it ends as ERRORED, and the worker stays.
TEST_F(StandingTest, OneRunThatFailsAgainAndAgainCountsOnce) {
  const Attached worker = Attach("w1");
  const RunId run = Queue(Run::KIND_FINAL);
  for (int loss = 1; loss <= 3; ++loss) {
    Demand(worker, 1);
    Report(worker, ExpectLease(worker), 1, {Finished(Run::OUTCOME_ERRORED)});
    Settle();
  }
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_ERRORED);
  EXPECT_EQ(GetWorker("w1").faults, 1);
  EXPECT_EQ(GetWorker("w1").fault_run, run);
}

TEST_F(StandingTest, ARunThatAWorkerFailedWaitsForAnotherOne) {
  const Attached good = Attach("w1");
  Demand(good, 1);
  Queue(Run::KIND_FINAL, "a");
  const auto held = ExpectLease(good);
  const Attached sick = Attach("w2");
  Demand(sick, 1);
  const RunId run = Queue(Run::KIND_FINAL, "b");
  HandBack(sick, ExpectLease(sick), /*fault=*/true);
  EXPECT_FALSE(IsOffered(sick));
  Report(good, held, 1, {Finished(Run::OUTCOME_COMPLETED)});
  Demand(good, 1);
  EXPECT_EQ(ExpectLease(good).run(), run.str());
  EXPECT_EQ(Get(run).losses, 1);
}

TEST_F(StandingTest, SilenceBlamesNobody) {
  const Attached worker = Attach("w1", 3);
  Demand(worker, 3);
  for (const char* attempt : {"a", "b", "c"}) Queue(Run::KIND_FINAL, attempt);
  for (int i = 0; i < 3; ++i) ExpectLease(worker);
  clock_.Advance(options_.lease_ttl + std::chrono::seconds(1));
  Sweep();
  EXPECT_EQ(GetWorker("w1").faults, 0);
  EXPECT_EQ(GetWorker("w1").state, v1::Worker::STATE_ACTIVE);
}

TEST_F(StandingTest, NamesAreChecked) {
  Attached worker{.link = std::make_shared<FakeLink>()};
  worker.session = dispatcher_->Open(worker.link);
  AttachRequest request;
  request.mutable_hello()->set_worker_id("wrk_1");
  request.mutable_hello()->set_slots(1);
  request.mutable_hello()->set_name("two words");
  Say(worker, request);
  ASSERT_TRUE(worker.link->closed.has_value());
  EXPECT_EQ(worker.link->closed->code, Code::kInvalidArgument);
  EXPECT_THAT(worker.link->closed->message, HasSubstr("two words"));
}

}  // namespace
}  // namespace assay::dispatch
