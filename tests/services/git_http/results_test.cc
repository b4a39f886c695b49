#include <gmock/gmock.h>

#include <thread>

#include "assay/runner/v1/lease_service.grpc.pb.h"
#include "tests/services/coordinator/server_fixture.h"

// Results in the pushing terminal, from a worker that the test plays.

namespace assay::testing {
namespace {

using runner::v1::AttachRequest;
using runner::v1::AttachResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ResultsTest : public ServerFixture {
 protected:
  ResultsTest() {
    Stop();
    options_.push_stay = std::chrono::seconds(30);
    Start();
    MakeAssignment();
    attempt_ = MakeAttempt();
    Clone(attempt_);
  }

  // Takes one run, reports `events`, waits for the acknowledgement, leaves.
  void ServeOneRun(std::vector<v1::RunEvent> events) {
    const auto context = As(WorkerToken());
    const auto stub = runner::v1::LeaseService::NewStub(channel());
    const auto stream = stub->Attach(context.get());
    AttachRequest hello;
    hello.mutable_hello()->set_worker_id("wrk_test");
    hello.mutable_hello()->set_slots(1);
    stream->Write(hello);
    AttachRequest demand;
    demand.mutable_demand()->set_count(1);
    stream->Write(demand);
    AttachResponse response;
    while (stream->Read(&response) && !response.has_lease()) {
    }
    AttachRequest report;
    report.mutable_report()->set_run(response.lease().run());
    report.mutable_report()->set_epoch(response.lease().epoch());
    report.mutable_report()->set_first_offset(1);
    for (v1::RunEvent& event : events)
      *report.mutable_report()->add_events() = std::move(event);
    stream->Write(report);
    while (stream->Read(&response) && !response.has_ack()) {
    }
    stream->WritesDone();
    stream->Finish();
  }

  static v1::RunEvent Phase(const char* phase) {
    v1::RunEvent event;
    event.mutable_phase_started()->set_phase(phase);
    return event;
  }
  static v1::RunEvent Checked(const char* id, const char* title,
                              v1::Verdict verdict, double points,
                              const char* reason, bool hidden) {
    v1::RunEvent event;
    v1::CheckResult& result = *event.mutable_check_finished()->mutable_result();
    result.set_check_id(id);
    result.set_title(title);
    result.set_verdict(verdict);
    result.set_points(points);
    result.set_earned(verdict == v1::VERDICT_PASSED ? points : 0);
    result.set_reason(reason);
    result.set_hidden(hidden);
    return event;
  }
  static v1::RunEvent Over(v1::Run::Outcome outcome, const char* reason = "") {
    v1::RunEvent event;
    event.mutable_finished()->set_outcome(outcome);
    event.mutable_finished()->set_reason(reason);
    return event;
  }

  std::string PushWhileServing(std::vector<v1::RunEvent> events) {
    Commit("a", "1");
    std::thread worker([&] { ServeOneRun(std::move(events)); });
    const std::string output = Git("-C work push origin HEAD:main");
    worker.join();
    return output;
  }

  StartedAttempt attempt_;
};

TEST_F(ResultsTest, ComeAsTheyHappenAndEndThePush) {
  const std::string output =
      PushWhileServing({Phase("build"), Phase("checks"),
                        Checked("seen", "Greets", v1::VERDICT_FAILED, 5,
                                "expected status 200, got 500", false),
                        Over(v1::Run::OUTCOME_COMPLETED)});
  EXPECT_THAT(
      output,
      AllOf(HasSubstr("remote: Building"), HasSubstr("remote:   FAIL  Greets"),
            HasSubstr("remote:         expected status 200, got 500"),
            HasSubstr("remote: Public checks: 0 of 5 points"),
            HasSubstr("-> main"), Not(HasSubstr("takes long"))));
}

TEST_F(ResultsTest, HiddenChecksNeverReachTheTerminal) {
  const std::string output = PushWhileServing(
      {Checked("seen", "Greets", v1::VERDICT_PASSED, 5, "", false),
       Checked("unseen", "Holds a secret canary", v1::VERDICT_FAILED, 10,
               "canary", true),
       Over(v1::Run::OUTCOME_COMPLETED)});
  EXPECT_THAT(output, AllOf(HasSubstr("Public checks: 5 of 5 points"),
                            Not(HasSubstr("canary"))));
}

TEST_F(ResultsTest, BrokenBuildSaysSo) {
  EXPECT_THAT(PushWhileServing({Over(v1::Run::OUTCOME_BUILD_FAILED,
                                     "./build.sh exited with 2")}),
              HasSubstr("remote: The build failed: ./build.sh exited with 2"));
}

TEST_F(ResultsTest, StopLetsThePushEndInGoodOrder) {
  Commit("a", "1");
  std::string output;
  std::thread pusher([&] { output = Git("-C work push origin HEAD:main"); });
  while (Pushes(attempt_).empty() ||
         Pushes(attempt_)[0].state() != v1::Push::STATE_ACCEPTED)
    std::this_thread::yield();
  Stop();
  pusher.join();
  EXPECT_THAT(output, HasSubstr("-> main"));
}

}  // namespace
}  // namespace assay::testing
