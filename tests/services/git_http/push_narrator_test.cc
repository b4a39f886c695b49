#include "services/git_http/push_narrator.h"

#include <gtest/gtest.h>

namespace assay::git_http {
namespace {

v1::CheckResult Check(const char* title, v1::Verdict verdict, double earned,
                      double points, const char* reason = "") {
  v1::CheckResult check;
  check.set_title(title);
  check.set_verdict(verdict);
  check.set_earned(earned);
  check.set_points(points);
  check.set_reason(reason);
  return check;
}

v1::WatchRunResponse Finished(const v1::CheckResult& check) {
  v1::WatchRunResponse update;
  *update.mutable_event()->mutable_check_finished()->mutable_result() = check;
  return update;
}

v1::WatchRunResponse State(v1::Run::State state, int position = 0) {
  v1::WatchRunResponse update;
  update.mutable_event()->mutable_state_changed()->set_state(state);
  update.mutable_event()->mutable_state_changed()->set_queue_position(position);
  return update;
}

TEST(PushNarratorTest, TellsARunFromQueueToScore) {
  PushNarrator narrator;
  v1::WatchRunResponse snapshot;
  snapshot.mutable_snapshot()->set_state(v1::Run::STATE_QUEUED);
  snapshot.mutable_snapshot()->set_queue_position(2);
  EXPECT_EQ(narrator.Tell(snapshot), "Queued: 2 runs are ahead\n");
  EXPECT_EQ(narrator.Tell(State(v1::Run::STATE_QUEUED, 2)), "");
  EXPECT_EQ(narrator.Tell(State(v1::Run::STATE_QUEUED, 1)),
            "Queued: 1 run is ahead\n");
  v1::WatchRunResponse phase;
  phase.mutable_event()->mutable_phase_started()->set_phase("build");
  EXPECT_EQ(narrator.Tell(phase), "Building\n");
  EXPECT_EQ(
      narrator.Tell(Finished(Check("Greets", v1::VERDICT_PASSED, 5, 5))),
      "  pass  Greets                                           5 of 5\n");
  EXPECT_EQ(narrator.Tell(Finished(Check("Counts", v1::VERDICT_FAILED, 0, 2.5,
                                         "expected 3, got 2"))),
            "  FAIL  Counts                                           0 of "
            "2.5\n        expected 3, got 2\n");
  const v1::WatchRunResponse end = State(v1::Run::STATE_FINISHED);
  EXPECT_FALSE(narrator.finished());
  EXPECT_EQ(narrator.Tell(end), "Public checks: 5 of 7.5 points\n");
  EXPECT_TRUE(narrator.finished());
  EXPECT_EQ(narrator.Tell(end), "");
}

TEST(PushNarratorTest, SaysWhyARunDidNotComeToItsChecks) {
  PushNarrator narrator;
  v1::WatchRunResponse last;
  last.mutable_event()->mutable_finished()->set_outcome(
      v1::Run::OUTCOME_BUILD_FAILED);
  last.mutable_event()->mutable_finished()->set_reason("exit code 2");
  EXPECT_EQ(narrator.Tell(last), "");
  EXPECT_EQ(narrator.Tell(State(v1::Run::STATE_FINISHED)),
            "The build failed: exit code 2\n");
}

TEST(PushNarratorTest, HiddenChecksAreNotTold) {
  PushNarrator narrator;
  v1::CheckResult check = Check("canary", v1::VERDICT_FAILED, 0, 5);
  check.set_hidden(true);
  EXPECT_EQ(narrator.Tell(Finished(check)), "");
}

TEST(PushNarratorTest, WhatTheServiceSaidCannotSteerTheTerminal) {
  PushNarrator narrator;
  const std::string lines = narrator.Tell(
      Finished(Check("T\x1b]0;x\x07", v1::VERDICT_FAILED, 0, 1,
                     "got \x1b[2J\nremote: Public checks: 100 of 100")));
  EXPECT_EQ(lines.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

TEST(PushNarratorTest, NewerPushReplacesAQueuedOne) {
  PushNarrator narrator;
  EXPECT_EQ(narrator.Tell(State(v1::Run::STATE_SUPERSEDED)),
            "Replaced by a newer push.\n");
  EXPECT_TRUE(narrator.finished());
}

}  // namespace
}  // namespace assay::git_http
