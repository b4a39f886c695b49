// Which worker gets which run: what runs need, and what workers offer.
#include <gmock/gmock.h>

#include "tests/services/dispatch/dispatch_fixture.h"

namespace assay::dispatch {
namespace {

using ::testing::HasSubstr;

constexpr auto kLease = AttachResponse::kLease;

class CapacityTest : public DispatchFixture {
 protected:
  Worker Large(const std::string& name, int cores,
               const std::string& pool = "") {
    AttachRequest::Hello hello;
    hello.set_worker_id(name);
    hello.set_slots(8);
    hello.set_cores(cores);
    hello.set_memory_bytes(std::int64_t{8} << 30);
    hello.set_pool(pool);
    return Attach(std::move(hello));
  }
  RunId QueueOf(int cores, const std::string& attempt) {
    return Queue(v1::Run::KIND_FINAL, attempt, {.milli_cpus = cores * 1'000});
  }
  void Finish(const Worker& worker, const AttachResponse::Lease& lease) {
    Report(worker, lease, 1,
           {Passed("one"), Finished(v1::Run::OUTCOME_COMPLETED)});
    Settle();
  }
};

TEST_F(CapacityTest, RunsTogetherNeverNeedMoreThanAWorkerOffers) {
  const Worker worker = Large("w1", 4);
  Demand(worker, 8);
  for (int i = 0; i < 3; ++i) QueueOf(2, "att_" + std::to_string(i));
  const auto first = ExpectLease(worker);
  ExpectLease(worker);
  Settle();
  EXPECT_FALSE(worker.link->Has(kLease));
  Finish(worker, first);
  ExpectLease(worker);
}

TEST_F(CapacityTest, IdleWorkersTakeTurns) {
  const Worker one = Large("w1", 4);
  const Worker two = Large("w2", 4);
  Demand(one, 8);
  Demand(two, 8);
  for (int i = 0; i < 4; ++i) {
    QueueOf(1, "att_" + std::to_string(i));
    const Worker& next = i % 2 == 0 ? one : two;
    Finish(next, ExpectLease(next));
  }
}

TEST_F(CapacityTest, ALargeRunGetsItsTurnAmongSmallOnes) {
  const Worker worker = Large("w1", 4);
  Demand(worker, 8);
  const RunId under_way = QueueOf(1, "att_0");
  const auto small = ExpectLease(worker);
  ASSERT_EQ(small.run(), under_way.str());
  const RunId large = QueueOf(4, "att_1");
  const RunId later = QueueOf(1, "att_2");
  Settle();
  EXPECT_FALSE(worker.link->Has(kLease));
  Finish(worker, small);
  EXPECT_EQ(ExpectLease(worker).run(), large.str());
  Settle();
  EXPECT_FALSE(worker.link->Has(kLease));
  EXPECT_EQ(Get(later).state, v1::Run::STATE_QUEUED);
}

TEST_F(CapacityTest, APoolGetsItsRunsAndNoOthers) {
  const Worker gpu = Large("w1", 4, "gpu");
  Demand(gpu, 1);
  Queue(v1::Run::KIND_FINAL, "att_1");
  Settle();
  EXPECT_FALSE(gpu.link->Has(kLease));
  const RunId run = Queue(v1::Run::KIND_PUSH, "att_2", {.pool = "gpu"});
  EXPECT_EQ(ExpectLease(gpu).run(), run.str());
}

TEST_F(CapacityTest, AWorkerWhoseOwnRunFailedIsSetAsideAndSaysWhy) {
  Queue(v1::Run::KIND_FINAL);
  AttachRequest::Hello hello;
  hello.set_worker_id("w1");
  hello.set_slots(1);
  hello.set_unfit("user namespaces are switched off");
  const Worker worker = Attach(hello);
  EXPECT_THAT(Expect(worker, AttachResponse::kStanding).standing().held_back(),
              HasSubstr("user namespaces are switched off"));
  Demand(worker, 1);
  Settle();
  EXPECT_FALSE(worker.link->Has(kLease));
  EXPECT_EQ(GetWorker("w1").state, v1::Worker::STATE_QUARANTINED);
  // Somebody has looked at it.
  SetState("w1", v1::Worker::STATE_ACTIVE);
  ExpectLease(worker);
}

TEST_F(CapacityTest, LabelsOfAStrangeFormAreRefused) {
  AttachRequest::Hello hello;
  hello.set_worker_id("w1");
  hello.set_slots(1);
  hello.set_pool("no spaces please");
  const Worker worker = Attach(hello);
  ASSERT_TRUE(worker.link->closed);
  EXPECT_EQ(worker.link->closed->code, Code::kInvalidArgument);
  EXPECT_THAT(worker.link->closed->message, HasSubstr("no spaces please"));
}

TEST_F(CapacityTest, EachLeaseIsCountedOnceByHowItEnded) {
  const Worker worker = Large("w1", 4);
  Demand(worker, 8);
  Queue(v1::Run::KIND_FINAL, "att_1");
  Finish(worker, ExpectLease(worker));
  const RunId errored = Queue(v1::Run::KIND_FINAL, "att_2");
  Demand(worker, 1);
  Report(worker, ExpectLease(worker), 1, {Finished(v1::Run::OUTCOME_ERRORED)});
  Demand(worker, 1);
  HandBack(worker, ExpectLease(worker), /*fault=*/false);
  Settle();
  // Without a commit no lease can be sent; after the third loss it is over.
  pack_ = Internal("the repository is gone");
  Demand(worker, 1);
  Settle();
  const LeaseCounts counts = dispatcher_->counts();
  EXPECT_EQ(Get(errored).state, v1::Run::STATE_FINISHED);
  EXPECT_EQ(counts.finished, 1);
  EXPECT_EQ(counts.errored, 1);
  EXPECT_EQ(counts.handed_back, 1);
  EXPECT_GE(counts.taken_back, 1);
  EXPECT_EQ(counts.granted, counts.finished + counts.errored +
                                counts.handed_back + counts.taken_back);
}

}  // namespace
}  // namespace assay::dispatch
