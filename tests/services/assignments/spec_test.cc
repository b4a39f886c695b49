#include "services/assignments/spec.h"

#include <gmock/gmock.h>

namespace assay::assignments {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::AssignmentSpec Good() {
  v1::AssignmentSpec spec;
  spec.set_title("Orders");
  spec.mutable_duration()->set_seconds(3'600);
  return WithDefaults(spec);
}

v1::FileTree TreeWith(const std::string& path, std::uint32_t mode = 0100644) {
  v1::FileTree tree;
  v1::FileTree::File* file = tree.add_files();
  file->set_path(path);
  file->set_mode(mode);
  return tree;
}

TEST(SpecTest, DefaultsAreThoseOfTheProto) {
  const v1::AssignmentSpec spec = Good();
  EXPECT_EQ(spec.late_policy(), v1::AssignmentSpec::LATE_POLICY_REJECT);
  EXPECT_EQ(spec.max_push_bytes(), 64 << 20);
  EXPECT_EQ(spec.time_zone(), "UTC");
  EXPECT_EQ(spec.invitation_expiry().seconds(), 30 * 86'400);
  EXPECT_THAT(SpecProblems(spec), IsEmpty());
}

TEST(SpecTest, NamesEveryProblemAtOnce) {
  v1::AssignmentSpec spec = Good();
  spec.clear_title();
  spec.mutable_duration()->set_seconds(0);
  spec.set_time_zone("Berlin/Europe");
  spec.set_push_runs_per_hour(-1);
  spec.set_max_push_bytes(1);
  EXPECT_THAT(
      SpecProblems(spec),
      ElementsAre(HasSubstr("title"), HasSubstr("duration"),
                  HasSubstr("max_push_bytes"), HasSubstr("push_runs_per_hour"),
                  HasSubstr("Berlin/Europe")));
}

TEST(SpecTest, TitlesAreCountedInCharacters) {
  v1::AssignmentSpec spec = Good();
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  spec.set_title(umlauts);
  EXPECT_THAT(SpecProblems(spec), IsEmpty());
  spec.set_title(umlauts + "x");
  EXPECT_THAT(SpecProblems(spec), Contains(HasSubstr("found 201")));
}

TEST(SpecTest, TheWindowClosesAfterItOpens) {
  v1::AssignmentSpec spec = Good();
  spec.mutable_open_time()->set_seconds(100);
  spec.mutable_hard_close_time()->set_seconds(100);
  EXPECT_THAT(SpecProblems(spec), Contains(HasSubstr("after open_time")));
  spec.mutable_hard_close_time()->set_seconds(1LL << 60);
  EXPECT_THAT(SpecProblems(spec), Contains(HasSubstr("9999")));
}

TEST(SpecTest, TimeZonesAreTheMachines) {
  for (const char* zone : {"../../etc/passwd", "/etc/passwd", "", "UTC\n",
                           "Europe", "zone.tab", "tzdata.zi", "leapseconds"}) {
    v1::AssignmentSpec spec = Good();
    spec.set_time_zone(zone);
    EXPECT_THAT(SpecProblems(spec), Contains(HasSubstr("time_zone"))) << zone;
  }
}

TEST(SpecTest, SlugsAreShortAndPlain) {
  EXPECT_THAT(SlugProblems("orders-api"), IsEmpty());
  EXPECT_THAT(SlugProblems(std::string(40, 'a')), IsEmpty());
  for (const char* slug : {"", "-a", "Orders", "a/b", "a b", "ä", "a\n"})
    EXPECT_THAT(SlugProblems(slug), ElementsAre(HasSubstr("[a-z0-9-]")))
        << slug;
  EXPECT_FALSE(SlugProblems(std::string(41, 'a')).empty());
}

TEST(SpecTest, TreesStayInsideThemselves) {
  EXPECT_THAT(TreeProblems("suite", TreeWith("a/b.sql")), IsEmpty());
  for (const std::string path : {"", "/etc/passwd", "a/../../b", "..", "a//b",
                                 "a/", ".git/config", "a/.git/x", "./a"})
    EXPECT_THAT(TreeProblems("suite", TreeWith(path)),
                ElementsAre(HasSubstr("no path inside of it")))
        << path;
  EXPECT_THAT(TreeProblems("suite", TreeWith(std::string("a\0b", 3))),
              ElementsAre(HasSubstr("no path")));
  EXPECT_THAT(TreeProblems("suite", TreeWith("a", 0160000)),
              ElementsAre(HasSubstr("no file, program or symbolic link")));
}

TEST(SpecTest, TreesHaveBounds) {
  v1::FileTree twice = TreeWith("a");
  *twice.add_files() = twice.files(0);
  EXPECT_THAT(TreeProblems("template", twice),
              ElementsAre(HasSubstr("a occurs twice")));
  v1::FileTree big = TreeWith("a");
  big.mutable_files(0)->set_content(std::string((32 << 20) + 1, 'x'));
  EXPECT_THAT(TreeProblems("template", big), ElementsAre(HasSubstr("32 MiB")));
  v1::FileTree many;
  for (int i = 0; i < 10'001; ++i) many.add_files();
  EXPECT_THAT(TreeProblems("template", many),
              ElementsAre(HasSubstr("found 10001")));
}

TEST(SpecTest, PatternForSubjectsIsCompiledBeforeACandidateMeetsIt) {
  v1::AssignmentSpec spec = Good();
  spec.set_commit_subject("^(feat|fix): ");
  EXPECT_THAT(SpecProblems(spec), IsEmpty());
  spec.set_commit_subject("^(feat");
  EXPECT_THAT(SpecProblems(spec),
              Contains(AllOf(HasSubstr("commit_subject: expected an RE2"),
                             HasSubstr("missing )"))));
  spec.set_commit_subject("((a{1,100}){1,100}){1,100}");
  EXPECT_THAT(SpecProblems(spec), Contains(HasSubstr("commit_subject")));
  spec.set_commit_subject(std::string(201, 'a'));
  EXPECT_THAT(SpecProblems(spec), Contains(HasSubstr("found 201")));
}

}  // namespace
}  // namespace assay::assignments
