// What a dispatcher makes of others on the same store.

#include <gmock/gmock.h>

#include "services/dispatch/dispatcher.h"
#include "tests/services/dispatch/dispatch_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::dispatch {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using v1::Run;

class NeighboursTest : public DispatchFixture {
 protected:
  NeighboursTest() {
    options_.has_others = [this] { return others_; };
    Restart();
  }
  // As another coordinator does it: in the store, and nothing is told here.
  void CancelElsewhere(const RunId& run) {
    ASSERT_THAT(loop_.Await(store_->Write(
                    [run, now = clock_.Now()](storage::Transaction& tx) {
                      return tx.runs.Cancel(run, now, "by another coordinator");
                    })),
                IsOk());
  }
  void DrainElsewhere(const std::string& worker) {
    ASSERT_THAT(loop_.Await(store_->Write([worker, now = clock_.Now()](
                                              storage::Transaction& tx) {
      return tx.workers.SetState(worker, v1::Worker::STATE_DRAINED, "new disk",
                                 "Ada", now);
    })),
                IsOk());
  }

  bool others_ = true;
};

TEST_F(NeighboursTest, AStartLeavesTheTermsOfOthersLeasesAsTheyAre) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  ExpectLease(worker);
  const auto expiry = Get(run).lease_expiry;
  clock_.Advance(std::chrono::seconds(3));
  Restart();
  EXPECT_EQ(Get(run).lease_expiry, expiry);
  // Alone, nobody else could have renewed it.
  others_ = false;
  Restart();
  EXPECT_GT(Get(run).lease_expiry, expiry);
}

TEST_F(NeighboursTest, AWorkerGoesOnHereWithALeaseOfAnotherCoordinator) {
  const Worker before = Attach("w1");
  Demand(before, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  const auto lease = ExpectLease(before);
  Restart();  // knows nothing of it
  const Worker worker = Attach("w1", 1, {HeldOf(lease)});
  EXPECT_FALSE(worker.link->Has(AttachResponse::kRevoke));
  Report(worker, lease, 1, {Passed("one"), Finished(Run::OUTCOME_COMPLETED)});
  EXPECT_EQ(Get(run).state, Run::STATE_FINISHED);
}

TEST_F(NeighboursTest, ALeaseThatNeverReachedItsWorkerIsQueuedAgain) {
  const Worker before = Attach("w1");
  Demand(before, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  ExpectLease(before);
  Restart();
  Attach("w1", 1, {});
  Settle();
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).losses, 0);
}

TEST_F(NeighboursTest, AWorkerIsToldThatAnotherCoordinatorEndedItsLease) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  ExpectLease(worker);
  // A note that says nothing new changes nothing.
  dispatcher_->RunChanged(run);
  Settle();
  EXPECT_FALSE(worker.link->Has(AttachResponse::kRevoke));
  CancelElsewhere(run);
  dispatcher_->RunChanged(run);
  EXPECT_THAT(Expect(worker, AttachResponse::kRevoke).revoke().reason(),
              HasSubstr("another coordinator"));
  EXPECT_EQ(dispatcher_->LeaseCount(), 0u);
}

TEST_F(NeighboursTest, AWorkerThatWasDrainedElsewhereGetsNoRuns) {
  const Worker told = Attach("told");
  const Worker swept = Attach("swept");
  DrainElsewhere("told");
  dispatcher_->WorkerChanged("told");
  EXPECT_THAT(Expect(told, AttachResponse::kStanding).standing().held_back(),
              HasSubstr("new disk"));
  // Without a note the sweep finds it.
  DrainElsewhere("swept");
  Sweep();
  EXPECT_TRUE(swept.link->Has(AttachResponse::kStanding));
  Demand(told, 1);
  Demand(swept, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  Settle();
  EXPECT_EQ(Get(run).state, Run::STATE_QUEUED);
}

TEST_F(NeighboursTest, ALeaseThatEndedElsewhereIsForgotten) {
  const Worker worker = Attach("w1");
  Demand(worker, 1);
  const RunId run = Queue(Run::KIND_FINAL);
  ExpectLease(worker);
  dispatcher_->Closed(worker.session);
  Sweep();
  EXPECT_EQ(dispatcher_->LeaseCount(), 1u);  // its worker may come back
  CancelElsewhere(run);
  Sweep();
  EXPECT_EQ(dispatcher_->LeaseCount(), 0u);
}

}  // namespace
}  // namespace assay::dispatch
