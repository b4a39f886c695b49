#include "services/cli/run_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace assay::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunViewTest : public testing::Test {
 protected:
  void Phase(const std::string& name, bool ok = true,
             const std::string& reason = "") {
    v1::RunEvent start;
    start.mutable_phase_started()->set_phase(name);
    view_.OnEvent(start);
    v1::RunEvent finish;
    finish.mutable_time()->set_nanos(5'000'000);
    finish.mutable_phase_finished()->set_phase(name);
    finish.mutable_phase_finished()->set_ok(ok);
    finish.mutable_phase_finished()->set_reason(reason);
    view_.OnEvent(finish);
  }
  void Check(const std::string& id, v1::Verdict verdict, double earned,
             double points, const std::string& reason = "") {
    v1::RunEvent event;
    auto* result = event.mutable_check_finished()->mutable_result();
    result->set_check_id(id);
    result->set_title("Title of " + id);
    result->set_verdict(verdict);
    result->set_earned(earned);
    result->set_points(points);
    result->set_reason(reason);
    result->set_position("assay.yaml:4:2");
    view_.OnEvent(event);
  }
  void Log(const std::string& stream, const std::string& content) {
    v1::RunEvent event;
    event.mutable_log()->set_stream(stream);
    event.mutable_log()->set_content(content);
    view_.OnEvent(event);
  }
  void Finish(v1::Run::Outcome outcome, const std::string& reason = "") {
    v1::RunEvent event;
    event.mutable_finished()->set_outcome(outcome);
    event.mutable_finished()->set_reason(reason);
    view_.OnEvent(event);
  }

  std::ostringstream out_;
  std::ostringstream err_;
  Console console_{out_, err_, Looks{}};
  RunView view_{console_, {}};
};

TEST_F(RunViewTest, ARecordThatBreaksOffSaysSo) {
  Log("build", "12345");
  v1::RunEvent end;
  end.mutable_log()->set_stream("build");
  end.mutable_log()->set_end(true);
  view_.OnEvent(end);
  Log("service", "1234567");
  v1::RunEvent lost;
  lost.mutable_state_changed()->set_state(v1::Run::STATE_QUEUED);
  view_.OnEvent(lost);
  EXPECT_THAT(out_.str(),
              HasSubstr("service: the record is incomplete, it ends after 7 "
                        "bytes\n"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("build: the record")));
  // The worker's last word closes what it left open.
  out_.str("");
  Log("service", "1");
  Finish(v1::Run::OUTCOME_COMPLETED);
  EXPECT_THAT(out_.str(), Not(HasSubstr("incomplete")));
}

TEST_F(RunViewTest, LocalRunEndsWithTheSumOfItsChecks) {
  Phase("build");
  Check("a", v1::VERDICT_PASSED, 10, 10);
  Check("b", v1::VERDICT_FAILED, 0, 5, "expected 201, got 500");
  Finish(v1::Run::OUTCOME_COMPLETED);
  EXPECT_THAT(out_.str(), HasSubstr("├─ ✓ build"));
  EXPECT_THAT(out_.str(), HasSubstr("expected 201, got 500 (assay.yaml:4:2)"));
  EXPECT_THAT(out_.str(), HasSubstr("└─ completed · 10 of 15 points"));
  EXPECT_TRUE(view_.finished());
  EXPECT_EQ(ExitCodeOf(view_.run()), kNegative);
}

TEST_F(RunViewTest, PlaceOfAFailureIsTheStepsOwn) {
  v1::RunEvent event;
  auto* result = event.mutable_check_finished()->mutable_result();
  result->set_verdict(v1::VERDICT_FAILED);
  result->set_reason("too slow");
  result->set_position("assay.yaml:4:2");
  result->add_steps()->set_verdict(v1::VERDICT_PASSED);
  result->mutable_steps(0)->set_position("assay.yaml:8:9");
  result->add_steps()->set_verdict(v1::VERDICT_FAILED);
  result->mutable_steps(1)->set_position("assay.yaml:9:9");
  view_.OnEvent(event);
  EXPECT_THAT(out_.str(), HasSubstr("too slow (assay.yaml:9:9)"));
}

TEST_F(RunViewTest, FailedBuildShowsTheEndOfItsLog) {
  Log("build", "one\ntwo\n\x1b[31merror: no such file\x1b[0m\n");
  Phase("build", false, "make build exited with code 2");
  EXPECT_THAT(out_.str(), HasSubstr("make build exited with code 2"));
  EXPECT_THAT(out_.str(), HasSubstr("error: no such file"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
}

TEST_F(RunViewTest, RunThatAServerWatchesEndsWithTheServersScore) {
  v1::Run run;
  run.set_name("runs/run_1");
  run.set_state(v1::Run::STATE_RUNNING);
  view_.OnSnapshot(run);
  Finish(v1::Run::OUTCOME_COMPLETED);
  EXPECT_FALSE(view_.finished());
  v1::RunEvent event;
  event.mutable_state_changed()->set_state(v1::Run::STATE_FINISHED);
  event.mutable_state_changed()->mutable_score()->set_earned(7);
  event.mutable_state_changed()->mutable_score()->set_max(9);
  view_.OnEvent(event);
  EXPECT_TRUE(view_.finished());
  EXPECT_THAT(out_.str(), HasSubstr("7 of 9 points"));
}

TEST_F(RunViewTest, RunThatIsQueuedAgainForgetsWhatTheLostWorkerSaid) {
  v1::Run run;
  run.set_name("runs/run_1");
  view_.OnSnapshot(run);
  Check("a", v1::VERDICT_PASSED, 10, 10);
  v1::RunEvent event;
  event.mutable_state_changed()->set_state(v1::Run::STATE_QUEUED);
  view_.OnEvent(event);
  Check("a", v1::VERDICT_PASSED, 10, 10);
  EXPECT_EQ(view_.run().checks_size(), 1);
}

TEST(RunExitCodeTest, TellsTheCandidatesFaultFromOurs) {
  v1::Run run;
  run.set_outcome(v1::Run::OUTCOME_COMPLETED);
  EXPECT_EQ(ExitCodeOf(run), kNegative) << "no check ran";
  run.add_checks()->set_verdict(v1::VERDICT_PASSED);
  EXPECT_EQ(ExitCodeOf(run), kSuccess);
  run.add_checks()->set_verdict(v1::VERDICT_SKIPPED);
  EXPECT_EQ(ExitCodeOf(run), kNegative);
  run.mutable_checks(1)->set_bonus(true);
  EXPECT_EQ(ExitCodeOf(run), kSuccess);
  run.mutable_checks(0)->set_verdict(v1::VERDICT_ERRORED);
  EXPECT_EQ(ExitCodeOf(run), kBroken);
  run.set_outcome(v1::Run::OUTCOME_BUILD_FAILED);
  EXPECT_EQ(ExitCodeOf(run), kNegative);
  run.set_outcome(v1::Run::OUTCOME_ERRORED);
  EXPECT_EQ(ExitCodeOf(run), kBroken);
}

TEST_F(RunViewTest, ScoreTableNamesEachLostCheckWithItsSentence) {
  Check("a", v1::VERDICT_PASSED, 10, 10);
  Check("few-queries", v1::VERDICT_FAILED, 0, 2.5, "21 statements, at most 5");
  Finish(v1::Run::OUTCOME_COMPLETED);
  out_.str("");
  PrintScore(console_, view_.run());
  EXPECT_THAT(out_.str(), HasSubstr("✗ few-queries"));
  EXPECT_THAT(out_.str(), HasSubstr("0/2.5"));
  EXPECT_THAT(out_.str(), HasSubstr("    21 statements, at most 5"));
  EXPECT_THAT(out_.str(), HasSubstr("10 of 12.5 points"));
}

}  // namespace
}  // namespace assay::cli
