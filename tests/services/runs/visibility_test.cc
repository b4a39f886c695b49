// What candidates see of hidden checks: as much as the author reveals, from
// the moment they chose, and nothing else by any other way.

#include "services/runs/visibility.h"

#include <gtest/gtest.h>

#include <vector>

namespace assay::runs {
namespace {

using plan::v1::Check;

plan::v1::Plan PlanWith(Check::Reveal reveal, Check::RevealAt when) {
  plan::v1::Plan plan;
  Check* open = plan.add_checks();
  open->set_id("open");
  open->set_points(10);
  Check* secret = plan.add_checks();
  secret->set_id("secret");
  secret->set_points(20);
  secret->set_hidden(true);
  secret->set_reveal(reveal);
  secret->set_reveal_at(when);
  return plan;
}

v1::CheckResult Result(const char* id, v1::Verdict verdict) {
  v1::CheckResult result;
  result.set_check_id(id);
  result.set_title(std::string("Title of ") + id);
  result.set_verdict(verdict);
  result.set_reason("expected 201, found 500 in POST /secret-path");
  result.set_points(20);
  result.set_earned(20);
  result.set_position("assay.yaml:41:5");
  result.set_span_id("0123456789abcdef");
  result.add_steps()->set_title("POST /secret-path");
  result.add_cases()->set_name("secret case");
  return result;
}

v1::RunEvent Log(const char* stream, bool hidden) {
  v1::RunEvent event;
  event.mutable_log()->set_stream(stream);
  event.mutable_log()->set_hidden(hidden);
  event.mutable_log()->set_content("x");
  return event;
}

const Progress kRunning{};
const Progress kSubmitted{.submitted = true};
const Progress kDecided{.submitted = true, .decided = true};

TEST(VisibilityTest, PublicChecksAreSeenInFull) {
  const Visibility seen(PlanWith(Check::REVEAL_NONE, Check::REVEAL_AT_NEVER),
                        kRunning);
  EXPECT_EQ(seen.Redact(Result("open", v1::VERDICT_FAILED))->reason(),
            "expected 201, found 500 in POST /secret-path");
}

TEST(VisibilityTest, EachLevelShowsThatMuch) {
  const auto redact = [](Check::Reveal reveal) {
    return Visibility(PlanWith(reveal, Check::REVEAL_AT_PUSH), kRunning)
        .Redact(Result("secret", v1::VERDICT_PASSED));
  };
  EXPECT_FALSE(redact(Check::REVEAL_NONE));
  EXPECT_FALSE(redact(Check::REVEAL_UNSPECIFIED));

  const auto title = *redact(Check::REVEAL_TITLE);
  EXPECT_EQ(title.title(), "Title of secret");
  EXPECT_EQ(title.verdict(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(title.earned(), 0);

  const auto result = *redact(Check::REVEAL_RESULT);
  EXPECT_EQ(result.verdict(), v1::VERDICT_PASSED);
  EXPECT_EQ(result.earned(), 20);
  // Not a trace of what the check does.
  EXPECT_EQ(result.SerializeAsString().find("secret-path"), std::string::npos);
  EXPECT_EQ(result.SerializeAsString().find("secret case"), std::string::npos);
  EXPECT_EQ(result.position(), "");
  EXPECT_EQ(result.span_id(), "");

  EXPECT_EQ(redact(Check::REVEAL_FULL)->steps_size(), 1);
}

TEST(VisibilityTest, NothingIsRevealedBeforeItsTime) {
  const auto shows = [](Check::RevealAt when, Progress progress) {
    return Visibility(PlanWith(Check::REVEAL_FULL, when), progress)
        .Redact(Result("secret", v1::VERDICT_PASSED))
        .has_value();
  };
  EXPECT_TRUE(shows(Check::REVEAL_AT_PUSH, kRunning));
  EXPECT_FALSE(shows(Check::REVEAL_AT_DEADLINE, kRunning));
  EXPECT_TRUE(shows(Check::REVEAL_AT_DEADLINE, kSubmitted));
  EXPECT_FALSE(shows(Check::REVEAL_AT_DECISION, kSubmitted));
  EXPECT_TRUE(shows(Check::REVEAL_AT_DECISION, kDecided));
  EXPECT_FALSE(shows(Check::REVEAL_AT_NEVER, kDecided));
  EXPECT_FALSE(shows(Check::REVEAL_AT_UNSPECIFIED, kDecided));
}

TEST(VisibilityTest, AStrangeCheckStaysHidden) {
  const Visibility seen(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_PUSH),
                        kDecided);
  EXPECT_FALSE(seen.Redact(Result("unknown", v1::VERDICT_PASSED)));
}

TEST(VisibilityTest, LogsOfHiddenChecksAreRemoved) {
  const Visibility seen(PlanWith(Check::REVEAL_TITLE, Check::REVEAL_AT_PUSH),
                        kRunning);
  EXPECT_TRUE(seen.Redact(Log("build", false)));
  EXPECT_FALSE(seen.Redact(Log("service", true)));
  // By its name, should the mark be missing.
  EXPECT_FALSE(seen.Redact(Log("check.secret", false)));
  EXPECT_TRUE(seen.Redact(Log("check.open", false)));
  const Visibility all(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_PUSH),
                       kRunning);
  EXPECT_TRUE(all.Redact(Log("service", true)));
  EXPECT_TRUE(all.Redact(Log("check.secret", false)));
}

TEST(VisibilityTest, SpansAreNeverForCandidates) {
  v1::RunEvent spans;
  spans.mutable_spans()->add_spans()->set_name("POST /secret-path");
  const Visibility all(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_PUSH),
                       kDecided);
  EXPECT_FALSE(all.Redact(spans));
}

TEST(VisibilityTest, StartsOfHiddenChecksAreRemoved) {
  v1::RunEvent started;
  started.mutable_check_started()->set_check_id("secret");
  EXPECT_FALSE(
      Visibility(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_DEADLINE),
                 kRunning)
          .Redact(started));
  EXPECT_TRUE(
      Visibility(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_DEADLINE),
                 kSubmitted)
          .Redact(started));
}

TEST(VisibilityTest, ReasonsThatMaySpeakOfHiddenChecksAreRemoved) {
  const Visibility seen(PlanWith(Check::REVEAL_NONE, Check::REVEAL_AT_NEVER),
                        kSubmitted);
  v1::RunEvent crashed;
  crashed.mutable_finished()->set_outcome(v1::Run::OUTCOME_SERVICE_CRASHED);
  crashed.mutable_finished()->set_reason("exited while answering /secret-path");
  EXPECT_EQ(seen.Redact(crashed)->finished().reason(), "");
  v1::RunEvent build = crashed;
  build.mutable_finished()->set_outcome(v1::Run::OUTCOME_BUILD_FAILED);
  EXPECT_NE(seen.Redact(build)->finished().reason(), "");
  v1::RunEvent phase;
  phase.mutable_phase_finished()->set_phase("checks");
  phase.mutable_phase_finished()->set_reason("during check secret");
  EXPECT_EQ(seen.Redact(phase)->phase_finished().reason(), "");
}

TEST(VisibilityTest, TheScoreIsThatOfWhatIsSeen) {
  v1::Run run;
  run.set_kind(v1::Run::KIND_FINAL);
  *run.add_checks() = Result("open", v1::VERDICT_PASSED);
  *run.add_checks() = Result("secret", v1::VERDICT_PASSED);
  run.mutable_score()->set_earned(30);
  run.mutable_score()->set_max(30);
  v1::RunEvent ended;
  ended.mutable_state_changed()->set_state(v1::Run::STATE_FINISHED);
  *ended.mutable_state_changed()->mutable_score() = run.score();

  const Visibility hidden(
      PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_DEADLINE), kRunning);
  EXPECT_EQ(hidden.Redact(run).score().earned(), 10);
  EXPECT_EQ(hidden.Redact(run).score().max(), 10);
  EXPECT_EQ(hidden.Redact(run).checks_size(), 1);
  EXPECT_FALSE(hidden.Redact(ended)->state_changed().has_score());

  const Visibility seen(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_DEADLINE),
                        kSubmitted);
  EXPECT_EQ(seen.Redact(run).score().earned(), 30);
  EXPECT_EQ(seen.Redact(ended)->state_changed().score().earned(), 30);
}

// Whatever is added to RunEvent later must be decided on in visibility.cc.
TEST(VisibilityTest, EveryKindOfEventIsDecidedOn) {
  const Visibility all(PlanWith(Check::REVEAL_FULL, Check::REVEAL_AT_PUSH),
                       kDecided);
  const auto* oneof = v1::RunEvent::descriptor()->oneof_decl(0);
  const auto* reflection = v1::RunEvent::GetReflection();
  int shown = 0;
  for (int i = 0; i < oneof->field_count(); ++i) {
    v1::RunEvent event;
    reflection->MutableMessage(&event, oneof->field(i));
    if (event.has_check_started())
      event.mutable_check_started()->set_check_id("open");
    if (event.has_check_finished())
      event.mutable_check_finished()->mutable_result()->set_check_id("open");
    if (all.Redact(event)) ++shown;
  }
  EXPECT_EQ(shown, 8);
  EXPECT_EQ(oneof->field_count(), 9) << "spans are the one that is never shown";
}

}  // namespace
}  // namespace assay::runs
