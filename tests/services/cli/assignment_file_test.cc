#include "services/cli/assignment_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Problems(const std::string& text) {
  const auto file = ParseAssignmentFile("assignment.yaml", text);
  return file ? "" : suite::ToText(file.error());
}

TEST(AssignmentFileTest, ReadsEveryKey) {
  const auto file = ParseAssignmentFile("assignment.yaml", R"(
title: Orders
brief: task.md
duration: 1h30m
grace: 90s
open: 2026-03-01T09:00:00Z
hard_close: 2026-04-01T09:00:00Z
late_policy: practice
allow_force_push: true
allow_tags: true
commit_subject: "^(feat|fix): "
linear_history: true
max_push: 16MiB
push_runs_per_hour: 30
time_zone: Europe/Berlin
ai_policy: use what you like
invitation_expiry: 14d
template: { git: https://example.org/t.git, ref: main }
suite: hidden
rubric: how.yaml
)");
  ASSERT_TRUE(file) << suite::ToText(file.error());
  const v1::AssignmentSpec& spec = file->spec;
  EXPECT_EQ(spec.title(), "Orders");
  EXPECT_EQ(spec.duration().seconds(), 5400);
  EXPECT_EQ(spec.grace().seconds(), 90);
  EXPECT_EQ(spec.open_time().seconds(), 1772355600);
  EXPECT_EQ(spec.hard_close_time().seconds(), 1775034000);
  EXPECT_EQ(spec.late_policy(), v1::AssignmentSpec::LATE_POLICY_PRACTICE);
  EXPECT_TRUE(spec.allow_force_push());
  EXPECT_TRUE(spec.allow_tags());
  EXPECT_EQ(spec.commit_subject(), "^(feat|fix): ");
  EXPECT_TRUE(spec.linear_history());
  EXPECT_EQ(spec.max_push_bytes(), 16 << 20);
  EXPECT_EQ(spec.push_runs_per_hour(), 30);
  EXPECT_EQ(spec.time_zone(), "Europe/Berlin");
  EXPECT_EQ(spec.ai_policy(), "use what you like");
  EXPECT_EQ(spec.invitation_expiry().seconds(), 14 * 86400);
  EXPECT_EQ(file->brief, "task.md");
  EXPECT_EQ(file->template_git, "https://example.org/t.git");
  EXPECT_EQ(file->template_ref, "main");
  EXPECT_EQ(file->suite_folder, "hidden");
  EXPECT_EQ(file->rubric, "how.yaml");
}

TEST(AssignmentFileTest, ListsEveryMistakeWithItsPlaceAndAHint) {
  const std::string problems = Problems(
      "titel: Orders\n"
      "duration: 90\n"
      "late_policy: maybe\n"
      "allow_force_push: [1]\n"
      "commit_subject: '^(feat'\n");
  EXPECT_THAT(problems, HasSubstr("assignment.yaml:5:17: error: commit_subject"
                                  ": expected an RE2 pattern"));
  EXPECT_THAT(problems, HasSubstr("assignment.yaml:1:1: error: unknown key "
                                  "\"titel\" in an assignment; did you mean "
                                  "\"title\"?"));
  EXPECT_THAT(problems, HasSubstr("assignment.yaml:2:11: error: duration:"));
  EXPECT_THAT(problems, HasSubstr("assignment.yaml:3:14: error: late_policy: "
                                  "expected reject, late or practice"));
  EXPECT_THAT(problems, HasSubstr("assignment.yaml:4:19: error: "
                                  "allow_force_push: expected true or false"));
  EXPECT_THAT(problems, HasSubstr("\"title\" is missing"));
}

TEST(AssignmentFileTest, TimeThatIsNoTimeIsRefused) {
  EXPECT_THAT(Problems("title: a\nduration: 1h\nopen: tomorrow\n"),
              HasSubstr("assignment.yaml:3:7: error: open: expected a "
                        "time like 2026-03-01T09:00:00Z"));
  EXPECT_THAT(Problems("title: a\nduration: 0s\n"),
              HasSubstr("assignment.yaml:2:11"));
}

TEST(AssignmentFileTest, TimeZoneThatNobodyKnowsIsFoundBeforeTheServerIsAsked) {
  EXPECT_THAT(Problems("title: a\nduration: 1h\ntime_zone: Europe/../Berlin\n"),
              HasSubstr("assignment.yaml:3:12: error: time_zone: "
                        "\"Europe/../Berlin\" is no IANA zone"));
  EXPECT_EQ(Problems("title: a\nduration: 1h\ntime_zone: UTC\n"), "");
}

TEST(AssignmentFileTest, TemplateWithoutARepositoryIsRefused) {
  EXPECT_THAT(Problems("title: a\nduration: 1h\ntemplate: { ref: main }\n"),
              HasSubstr("assignment.yaml:3:11: error: template: expected"));
}

TEST(AssignmentFileTest, TextThatIsNotYamlHasAPlaceToo) {
  EXPECT_THAT(Problems("title: [\n"), StartsWith("assignment.yaml:"));
  EXPECT_THAT(Problems("- a\n"), HasSubstr("an assignment is a mapping"));
}

}  // namespace
}  // namespace assay::cli
