// A worker and a coordinator over gRPC on loopback; only cells and assay-run
// are played.
#include "runner/worker/worker.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <fstream>

#include "services/dispatch/lease_service.h"
#include "services/runs/run_observer.h"
#include "tests/runner/worker/fake_workshop.h"
#include "tests/services/dispatch/dispatch_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::worker {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using v1::Run;

rpc::Async<dispatch::WorkerProof> Admit(dispatch::AttachHead head) {
  if (head.authorization == "Bearer worker-token")
    co_return dispatch::WorkerProof();
  if (head.authorization == "Bearer candidate-token")
    co_return PermissionDenied("attaching needs ROLE_WORKER");
  co_return Unauthenticated("the token is unknown");
}

// Says when a lease has gone to its worker, before the worker has it.
struct LeaseObserver final : runs::RunObserver {
  void PushRecorded(const PushId&, Clock::TimePoint) override {}
  void Queued(const storage::RunRecord&) override {}
  void Leased(const storage::RunRecord&) override {}
  void LeaseSent(const storage::RunRecord&) override {
    if (lease_sent) lease_sent();
  }
  void WorkerSpans(
      const storage::RunRecord&,
      const google::protobuf::RepeatedPtrField<otlp::v1::Span>&) override {}
  void Reported(const storage::RunRecord&, const std::vector<v1::RunEvent>&,
                Clock::TimePoint) override {}
  void Lost(const storage::RunRecord&) override {}
  void Shown(const RunId&) override {}

  std::function<void()> lease_sent;
};

class WorkerTest : public dispatch::DispatchFixture {
 protected:
  WorkerTest() {
    options_.heartbeat_interval = std::chrono::milliseconds(50);
    options_.observer = &observer_;
    Restart();
    Serve();
  }
  ~WorkerTest() override {
    worker_.reset();
    Unserve();
  }

  void Serve() {
    service_ = std::make_unique<dispatch::LeaseServiceImpl>(
        loop_.executor(), *dispatcher_, Admit);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_),
                             grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  // As assayd's death looks from outside.
  void Unserve() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
    loop_.RunReady();
    service_.reset();
  }

  void StartWorker(int slots = 1, const std::string& token = "worker-token") {
    const std::string token_file = directory_.path() / "token";
    std::ofstream(token_file) << token << "\n";
    auto worker = worker::Worker::Make(
        loop_.executor(), workshop_,
        {.coordinator =
             "127.0.0.1:" + std::to_string(port_) + "," + more_coordinators_,
         .token_file = token_file,
         .slots = slots,
         .data_dir = directory_.path() / "worker",
         .run_program = std::getenv("ASSAY_FAKE_RUN"),
         .drain_timeout = drain_timeout_},
        {.on_ready = [this] { ready_ = true; },
         .on_end = [this](Status status) { end_ = std::move(status); }});
    ASSERT_THAT(worker, IsOk());
    worker_ = *std::move(worker);
    worker_->Start();
  }

  // Runs the loop until `condition` holds; gRPC's threads wake it.
  void Until(const std::function<bool()>& condition) {
    boost::asio::steady_timer patience(loop_.context(),
                                       std::chrono::seconds(20));
    patience.async_wait([](boost::system::error_code cancelled) {
      if (!cancelled) throw std::runtime_error("it did not happen");
    });
    loop_.RunUntil(condition);
    patience.cancel();
    loop_.RunReady();
  }
  // For what wakes no loop: looks again every few milliseconds.
  void UntilSeen(const std::function<bool()>& condition) {
    boost::asio::steady_timer again(loop_.context());
    Until([&] {
      again.expires_after(std::chrono::milliseconds(5));
      again.async_wait([](boost::system::error_code) {});
      return condition();
    });
  }
  void UntilState(const RunId& run, Run::State state) {
    UntilSeen([&] { return Get(run).state == state; });
  }
  void UntilEnded(const RunId& run) {
    UntilSeen([&] { return workshop_.Ended(run.str()); });
  }

  LeaseObserver observer_;
  std::chrono::seconds drain_timeout_{20};
  // Behind the one of this test, in the worker's list.
  std::string more_coordinators_;
  FakeWorkshop workshop_;
  std::unique_ptr<dispatch::LeaseServiceImpl> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::unique_ptr<worker::Worker> worker_;
  bool ready_ = false;
  std::optional<Status> end_;
};

TEST_F(WorkerTest, AQueuedRunIsExecutedAndItsEventsAreStored) {
  StartWorker();
  const RunId run = Queue(Run::KIND_PUSH);
  UntilState(run, Run::STATE_FINISHED);
  EXPECT_TRUE(ready_);
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_COMPLETED);
  const auto events = *loop_.Await(store_->Read(
      [run](auto& tx) { return tx.run_events.List(run, 0, 100, false); }));
  std::vector<std::string> phases;
  for (const auto& event : events)
    if (event.has_phase_started())
      phases.push_back(event.phase_started().phase());
  EXPECT_THAT(phases, ::testing::ElementsAre("materialise", "build"));

  const auto orders = workshop_.orders();
  ASSERT_THAT(orders, SizeIs(1));
  EXPECT_EQ(orders[0].run, run.str());
  EXPECT_TRUE(orders[0].public_only);
  EXPECT_EQ(orders[0].seed, 7u);
  EXPECT_EQ(orders[0].plan.name(), "sample");
}

TEST_F(WorkerTest, LargePacksAndLargeOutputsComeThrough) {
  pack_ = std::string(7 << 20, 'p');
  UsePlan("large");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  UntilState(run, Run::STATE_FINISHED);
  const auto packed = std::get<PackedCommit>(workshop_.orders()[0].tree);
  EXPECT_EQ(std::filesystem::file_size(packed.pack_file), 7u << 20);
  const auto events = *loop_.Await(store_->Read(
      [run](auto& tx) { return tx.run_events.List(run, 0, 1000, false); }));
  EXPECT_THAT(events, SizeIs(::testing::Ge(42)));
}

TEST_F(WorkerTest, ManyRunsAreExecutedOneAfterTheOther) {
  StartWorker(2);
  std::vector<RunId> runs;
  for (int i = 0; i < 10; ++i)
    runs.push_back(Queue(Run::KIND_FINAL, "att_" + std::to_string(i)));
  for (const RunId& run : runs) UntilState(run, Run::STATE_FINISHED);
}

TEST_F(WorkerTest, OnlyAWorkerThatRunsNothingPreparesAhead) {
  UsePlan("wait");
  StartWorker(2);
  const RunId first = Queue(Run::KIND_FINAL, "att_a");
  const RunId second = Queue(Run::KIND_FINAL, "att_b");
  UntilSeen([&] { return workshop_.orders().size() == 2; });
  workshop_.Release(first.str());
  UntilState(first, Run::STATE_FINISHED);
  EXPECT_EQ(workshop_.ahead(), 0);
  workshop_.Release(second.str());
  UntilState(second, Run::STATE_FINISHED);
  UntilSeen([&] { return workshop_.ahead() > 0; });
  EXPECT_EQ(workshop_.ahead(), 1);
}

TEST_F(WorkerTest, ACrashIsHandedBackAndTheThirdMakesItErrored) {
  UsePlan("crash");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  UntilState(run, Run::STATE_FINISHED);
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_ERRORED);
  EXPECT_EQ(Get(run).epoch, 3u);
  EXPECT_THAT(Get(run).outcome_reason, HasSubstr("signal 6"));
}

TEST_F(WorkerTest, APoisonRunDisturbsNoOther) {
  UsePlan("crash");
  const RunId poison = Queue(Run::KIND_FINAL, "a");
  UsePlan("sample");
  const RunId sound = Queue(Run::KIND_FINAL, "b");
  StartWorker(2);
  UntilState(sound, Run::STATE_FINISHED);
  EXPECT_EQ(Get(sound).outcome, Run::OUTCOME_COMPLETED);
  UntilState(poison, Run::STATE_FINISHED);
}

TEST_F(WorkerTest, ACommitThatCannotBeUnpackedIsTheCandidatesResult) {
  UsePlan("refused");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  UntilState(run, Run::STATE_FINISHED);
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_BUILD_FAILED);
  EXPECT_EQ(Get(run).outcome_reason, "the commit has a submodule");
  EXPECT_EQ(Get(run).losses, 0);
}

TEST_F(WorkerTest, WhatWeCannotPrepareIsOurLoss) {
  UsePlan("broken");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  UntilState(run, Run::STATE_FINISHED);
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_ERRORED);
  EXPECT_THAT(Get(run).outcome_reason, HasSubstr("no space left"));
}

TEST_F(WorkerTest, ACoordinatorThatComesBackFindsTheRunGoingOn) {
  UsePlan("wait");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  UntilState(run, Run::STATE_RUNNING);
  Until([&] { return !workshop_.orders().empty(); });

  Unserve();
  clock_.Advance(2 * options_.lease_ttl);
  Restart();
  workshop_.Release(run.str());
  Serve();
  UntilState(run, Run::STATE_FINISHED);
  EXPECT_EQ(Get(run).outcome, Run::OUTCOME_COMPLETED);
  EXPECT_EQ(Get(run).epoch, 1u);
}

TEST_F(WorkerTest, AHandBackThatNobodyHeardIsSaidAgain) {
  UsePlan("wait and crash");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  UntilState(run, Run::STATE_RUNNING);
  Until([&] { return !workshop_.orders().empty(); });
  Unserve();
  workshop_.Release(run.str());
  Restart();
  Serve();
  UntilSeen([&] { return Get(run).losses == 1; });
}

TEST_F(WorkerTest, ALostLeaseKillsItsRun) {
  UsePlan("wait");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  Until([&] { return !workshop_.orders().empty(); });
  const auto cancelled = loop_.Await(
      store_->Write([run, now = clock_.Now()](storage::Transaction& tx) {
        return tx.runs.Cancel(run, now, "a person's wish");
      }));
  ASSERT_THAT(cancelled, IsOk());
  // The next heartbeat is refused.
  UntilEnded(run);
}

TEST_F(WorkerTest, DrainFinishesWhatItHoldsAndTakesNoMore) {
  UsePlan("wait");
  StartWorker();
  const RunId held = Queue(Run::KIND_FINAL, "a");
  Until([&] { return !workshop_.orders().empty(); });
  const RunId queued = Queue(Run::KIND_FINAL, "b");
  worker_->Drain();
  workshop_.Release(held.str());
  Until([&] { return end_.has_value(); });
  EXPECT_THAT(*end_, IsOk());
  UntilState(held, Run::STATE_FINISHED);
  EXPECT_EQ(Get(queued).state, Run::STATE_QUEUED);
}

// It was on its way when the worker began to drain, which has room for it.
TEST_F(WorkerTest, ALeaseThatMeetsADrainingWorkerGoesBackOnce) {
  UsePlan("wait");
  StartWorker(2);
  const RunId held = Queue(Run::KIND_FINAL, "a");
  Until([&] { return !workshop_.orders().empty(); });
  observer_.lease_sent = [this] {
    observer_.lease_sent = nullptr;
    worker_->Drain();
  };
  const RunId queued = Queue(Run::KIND_FINAL, "b");
  UntilSeen([&] {
    return Get(queued).epoch > 0 && Get(queued).state == Run::STATE_QUEUED;
  });
  workshop_.Release(held.str());
  Until([&] { return end_.has_value(); });
  UntilState(held, Run::STATE_FINISHED);
  EXPECT_EQ(Get(queued).epoch, 1u);
  EXPECT_EQ(Get(queued).losses, 0);
  EXPECT_THAT(workshop_.orders(), SizeIs(1));
}

TEST_F(WorkerTest, ADrainThatTakesTooLongHandsBackWithoutBlame) {
  drain_timeout_ = std::chrono::seconds(0);
  UsePlan("wait");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  Until([&] { return !workshop_.orders().empty(); });
  worker_->Drain();
  Until([&] { return end_.has_value(); });
  EXPECT_THAT(*end_, IsOk());
  UntilState(run, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).losses, 0);
  UntilEnded(run);
}

TEST_F(WorkerTest, StopHandsBackWithoutBlame) {
  UsePlan("wait");
  StartWorker();
  const RunId run = Queue(Run::KIND_FINAL);
  Until([&] { return !workshop_.orders().empty(); });
  worker_->Stop();
  Until([&] { return end_.has_value(); });
  UntilState(run, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).losses, 0);
  UntilEnded(run);
}

// SIGTERM while the coordinator's lease is on its way.
TEST_F(WorkerTest, ALeaseThatMeetsAWorkerThatLeavesIsAnothersAtOnce) {
  StartWorker();
  Until([&] { return ready_; });
  UntilSeen([&] { return !dispatcher_->Workers().empty(); });
  observer_.lease_sent = [this] { worker_->Drain(); };
  const RunId run = Queue(Run::KIND_FINAL);
  Until([&] { return end_.has_value(); });
  EXPECT_THAT(*end_, IsOk());
  UntilState(run, Run::STATE_QUEUED);
  EXPECT_EQ(Get(run).epoch, 1u);
  EXPECT_EQ(Get(run).losses, 0);
  EXPECT_THAT(workshop_.orders(), SizeIs(0));
}

class TwoCoordinatorsTest : public WorkerTest {
 protected:
  TwoCoordinatorsTest() {
    options_.has_others = [] { return true; };
    // The one that is drained, then the other.
    Unserve();
    Restart();
    Serve();
    other_ = std::make_unique<dispatch::Dispatcher>(
        loop_.executor(), *queue_, *book_, clock_,
        dispatch::ContentSources{
            .pack = [](AttemptId, std::string) { return NoContent(); },
            .plan = [](std::string) { return NoContent(); }},
        options_);
    other_service_ = std::make_unique<dispatch::LeaseServiceImpl>(
        loop_.executor(), *other_, Admit);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &other_port_);
    builder.RegisterService(other_service_.get());
    other_server_ = builder.BuildAndStart();
  }
  ~TwoCoordinatorsTest() override {
    worker_.reset();
    other_->Stop();
    other_server_->Shutdown(std::chrono::system_clock::now());
    other_server_->Wait();
    loop_.RunReady();
  }
  static rpc::Async<dispatch::SharedContent> NoContent() {
    co_return NotFound("none here");
  }
  std::string other_address() const {
    return "127.0.0.1:" + std::to_string(other_port_);
  }
  // A run that the worker executes until it is released.
  RunId Hold() {
    UsePlan("wait");
    const RunId run = Queue(Run::KIND_FINAL);
    Until([&] { return !workshop_.orders().empty(); });
    return run;
  }
  void ExpectUndisturbed(const RunId& run) {
    workshop_.Release(run.str());
    UntilState(run, Run::STATE_FINISHED);
    EXPECT_EQ(Get(run).outcome, Run::OUTCOME_COMPLETED);
    EXPECT_EQ(Get(run).epoch, 1u);
  }

  std::unique_ptr<dispatch::Dispatcher> other_;
  std::unique_ptr<dispatch::LeaseServiceImpl> other_service_;
  std::unique_ptr<grpc::Server> other_server_;
  int other_port_ = 0;
};

TEST_F(TwoCoordinatorsTest, AWorkerLeavesADrainedOneWithWhatItHolds) {
  more_coordinators_ = other_address();
  StartWorker();
  const RunId run = Hold();
  dispatcher_->Drain(/*elsewhere=*/true);
  UntilSeen([&] {
    return other_->LeaseCount() == 1 && dispatcher_->Workers().empty();
  });
  ExpectUndisturbed(run);
}

TEST_F(TwoCoordinatorsTest, AWorkerThatKnowsNoOtherFinishesThere) {
  StartWorker();
  const RunId run = Hold();
  dispatcher_->Drain(/*elsewhere=*/true);
  ExpectUndisturbed(run);
  EXPECT_THAT(dispatcher_->Workers(), SizeIs(1));
}

TEST_F(TwoCoordinatorsTest, AWorkerDoesNotRunInCirclesWhereAllAreDrained) {
  more_coordinators_ = other_address();
  StartWorker();
  const RunId run = Hold();
  other_->Drain(/*elsewhere=*/true);
  dispatcher_->Drain(/*elsewhere=*/true);
  UntilSeen([&] { return other_->Workers().size() == 1; });
  ExpectUndisturbed(run);
  EXPECT_THAT(other_->Workers(), SizeIs(1));
}

TEST_F(WorkerTest, AnUnknownTokenEndsTheWorkerWithAReason) {
  StartWorker(1, "wrong-token");
  Until([&] { return end_.has_value(); });
  EXPECT_THAT(*end_, FailsWith(Code::kUnauthenticated, "cannot attach"));
}

TEST_F(WorkerTest, ATokenOfAnotherRoleIsRefused) {
  StartWorker(1, "candidate-token");
  Until([&] { return end_.has_value(); });
  EXPECT_THAT(*end_, FailsWith(Code::kPermissionDenied, "ROLE_WORKER"));
}

TEST_F(WorkerTest, ACoordinatorThatIsNotThereYetIsWaitedFor) {
  Unserve();
  StartWorker();
  Until([&] { return true; });
  Serve();
  Until([&] { return ready_; });
}

}  // namespace
}  // namespace assay::worker
