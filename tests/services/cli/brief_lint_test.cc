#include "services/cli/brief_lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "services/cli/environment_check.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

v1::AssignmentSpec WithBrief(const std::string& brief) {
  v1::AssignmentSpec spec;
  spec.set_brief(brief);
  spec.set_ai_policy("use what you like");
  return spec;
}

bool Misses(const v1::AssignmentSpec& spec, const std::string& what) {
  const auto gaps = LintBrief(spec);
  return std::ranges::any_of(
      gaps, [&](const BriefGap& gap) { return gap.what == what; });
}

std::string Sample() {
  std::ifstream in(std::string(std::getenv("ASSAY_SOURCE_DIR")) +
                   "/docs/examples/orders-api/brief.md");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(BriefLintTest, TheSampleHasAllThatAsynchronousWorkNeeds) {
  ASSERT_FALSE(Sample().empty());
  for (const BriefGap& gap : LintBrief(WithBrief(Sample())))
    ADD_FAILURE() << gap.what << ": " << gap.advice;
}

// Each part is missed when its section goes.
TEST(BriefLintTest, EveryPartThatIsTakenOutIsMissed) {
  const std::string all =
      "# Task\n## Context\nx\n## Contract\nx\n## Acceptance criteria\nx\n"
      "## Done\nx\n## Time\nx\n## Recorded\nx\n";
  const std::pair<const char*, const char*> parts[] = {
      {"## Context\n", "system context"},
      {"## Contract\n", "contract"},
      {"## Acceptance criteria\n", "acceptance criteria"},
      {"## Done\n", "what done looks like"},
      {"## Time\n", "time allowed"},
      {"## Recorded\n", "what is recorded"}};
  for (const auto& [heading, what] : parts) {
    EXPECT_FALSE(Misses(WithBrief(all), what)) << what;
    std::string without = all;
    without.erase(without.find(heading), std::string(heading).size());
    EXPECT_TRUE(Misses(WithBrief(without), what)) << what;
  }
}

TEST(BriefLintTest, CodeIsNoBrief) {
  EXPECT_TRUE(Misses(
      WithBrief("# Task\n```\n# Contract\nthe deadline is in 2 hours\n```\nx"),
      "contract"));
  EXPECT_TRUE(Misses(WithBrief(""), "brief"));
  // It is there, and says next to nothing.
  EXPECT_FALSE(Misses(WithBrief("# Task\n"), "brief"));
  EXPECT_TRUE(Misses(WithBrief("# Task\n"), "acceptance criteria"));
  v1::AssignmentSpec spec = WithBrief(Sample());
  spec.clear_ai_policy();
  EXPECT_TRUE(Misses(spec, "policy on tools"));
}

TEST(EnvironmentCheckTest, JudgesGitByItsVersion) {
  EXPECT_TRUE(JudgeGitVersion("git version 2.39.5").fine);
  EXPECT_TRUE(JudgeGitVersion("git version 3.0.0.windows.1").fine);
  EXPECT_FALSE(JudgeGitVersion("git version 2.17.1").fine);
  EXPECT_FALSE(JudgeGitVersion("git version 1.99").fine);
  EXPECT_FALSE(JudgeGitVersion("no such thing").fine);
}

TEST(EnvironmentCheckTest, JudgesTheClockByItsDistance) {
  using std::chrono::seconds;
  EXPECT_TRUE(JudgeClock(seconds(1)).fine);
  EXPECT_TRUE(JudgeClock(seconds(-59)).fine);
  EXPECT_FALSE(JudgeClock(seconds(61)).fine);
  EXPECT_NE(JudgeClock(seconds(90)).text.find("ahead"), std::string::npos);
  EXPECT_NE(JudgeClock(seconds(-90)).text.find("behind"), std::string::npos);
}

TEST(TimeTextTest, DurationsReadAsPeopleSayThem) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  EXPECT_EQ(DurationText(seconds(20)), "20 s");
  EXPECT_EQ(DurationText(milliseconds(1240)), "1.24 s");
  EXPECT_EQ(DurationText(seconds(0)), "0 s");
  EXPECT_EQ(AllowanceText(google::protobuf::Duration()), "none");
  EXPECT_EQ(AllowanceText(ToProto(seconds(120))), "2m 00s");
}

TEST(TimeTextTest, ATimeIsShownInAZoneAndInUtc) {
  google::protobuf::Timestamp time;
  time.set_seconds(1772355600);
  EXPECT_EQ(ZoneTimeText(time, "Europe/Berlin"),
            "2026-03-01 10:00:00 CET (09:00:00 UTC)");
  EXPECT_EQ(ZoneTimeText(time, "UTC"), "2026-03-01 09:00:00 UTC");
}

TEST(TimeTextTest, TimesNeedADateAndAZone) {
  EXPECT_EQ(ParseTime("2026-03-01T10:00:00+01:00")->seconds(), 1772355600);
  EXPECT_FALSE(ParseTime("2026-03-01"));
  EXPECT_FALSE(ParseTime("soon"));
}

}  // namespace
}  // namespace assay::cli
