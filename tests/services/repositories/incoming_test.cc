#include "services/repositories/incoming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/repositories/history.h"
#include "tests/services/repositories/git_fixture.h"
#include "tests/testing/matchers.h"

namespace assay::repositories {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
using ::testing::HasSubstr;

// The quarantine is the objects folder of a clone that borrows the rest.
class IncomingTest : public GitFixture {
 protected:
  IncomingTest() {
    path_ = MakeRepository(MakeTemplate());
    Git("clone -q " + path_.string() + " work");
    base_ = Git("-C work rev-parse HEAD");
  }

  // Packs what `commit` adds, as git holds it in its quarantine.
  std::filesystem::path Quarantine(const std::string& commit) {
    const auto quarantine = path_ / "objects" / ("tmp_objdir-" + commit);
    std::filesystem::create_directories(quarantine / "pack");
    std::ofstream(root_ / "revs") << commit << "\n^" << base_ << "\n";
    Git("-C work pack-objects --revs -q " +
        (quarantine / "pack/pack").string() + " < revs");
    return quarantine;
  }
  Status Check(const std::string& commit, const IncomingRules& rules = {}) {
    return CheckIncoming(path_, Quarantine(commit), base_, commit, rules);
  }
  std::string Commit(const std::string& options = "") {
    Git("-C work commit -q --allow-empty -m x " + options);
    return Git("-C work rev-parse HEAD");
  }

  std::filesystem::path path_;
  std::string base_;
};

TEST_F(IncomingTest, OrdinaryCommitIsWell) {
  std::ofstream(root_ / "work/new.txt") << "new\n";
  Git("-C work add -A");
  EXPECT_THAT(Check(Commit()), IsOk());
}

TEST_F(IncomingTest, CommitsOfAPushAreCountedAndEarlierOnesAreNot) {
  Commit();
  const std::string second = Commit();
  EXPECT_THAT(Check(second, {.max_commits = 1}),
              FailsWith(Code::kResourceExhausted, "up to 1 commits"));
  EXPECT_THAT(Check(second, {.max_commits = 3}), IsOk());
}

TEST_F(IncomingTest, MessageMayNotBeABook) {
  std::ofstream(root_ / "message") << std::string(5'000, 'x');
  Git("-C work commit -q --allow-empty -F ../message");
  const std::string commit = Git("-C work rev-parse HEAD");
  EXPECT_THAT(Check(commit, {.max_commit_bytes = 4'000}),
              FailsWith(Code::kResourceExhausted, "a message may have 4000"));
}

TEST_F(IncomingTest, TreeThatTakesTooMuchIsNotReadAsAWhole) {
  // One directory of many entries: small in a pack, large in memory.
  std::ofstream list(root_ / "list");
  const std::string blob = Git("-C work rev-parse HEAD:README.md");
  for (int i = 0; i < 2'000; ++i)
    list << "100644 blob " << blob << "\tfile" << i << "\n";
  list.close();
  const std::string tree = Git("-C work mktree < list");
  const std::string commit =
      Git("-C work commit-tree -p " + base_ + " -m x " + tree);
  EXPECT_THAT(Check(commit, {.tree = {.max_files = 100}}),
              FailsWith(Code::kResourceExhausted, "list of files takes"));
  EXPECT_THAT(Check(commit, {.tree = {.max_files = 1'000}}),
              FailsWith(Code::kResourceExhausted, "more than 1000 files"));
}

TEST_F(IncomingTest, DepthIsThatOfTheWholePathAlsoWhereTreesAreKnown) {
  const std::string blob = Git("-C work rev-parse HEAD:README.md");
  const auto tree = [&](const std::string& lines) {
    std::ofstream(root_ / "list") << lines;
    return "040000 tree " + Git("-C work mktree < list");
  };
  const std::string two =
      tree(tree("100644 blob " + blob + "\tfile\n") + "\td\n");
  const auto commit = [&](const std::string& root) {
    return Git("-C work commit-tree -p " + base_ + " -m x " + root.substr(12));
  };
  // "a" is met first, and is not deep there; "b/c/d" is.
  const std::string root = tree(two + "\ta\n" + tree(two + "\tc\n") + "\tb\n");
  EXPECT_THAT(Check(commit(root), {.tree = {.max_depth = 3}}), IsOk());
  EXPECT_THAT(Check(commit(root), {.tree = {.max_depth = 2}}),
              FailsWith(Code::kResourceExhausted, "nested more than 2 deep"));
}

TEST_F(IncomingTest, WhatTakesTooLongIsGivenUp) {
  EXPECT_THAT(Check(Commit(), {.max_time = std::chrono::milliseconds(0)}),
              FailsWith(Code::kResourceExhausted, "takes too long"));
}

TEST_F(IncomingTest, TagIsNoCommit) {
  Commit();
  Git("-C work tag -a v1 -m x");
  const std::string tag = Git("-C work rev-parse v1");
  EXPECT_THAT(Check(tag),
              FailsWith(Code::kInvalidArgument, "points at a commit"));
}

TEST_F(IncomingTest, TagNamesACommitThatIsJudgedLikeAnyOther) {
  Git("-C work commit -q --allow-empty -m 'fix: x'");
  Git("-C work tag -a v1 -m x");
  const std::string tag = Git("-C work rev-parse v1");
  const auto judge = [&](const std::string& oid, const std::string& subject) {
    return CheckIncoming(path_, Quarantine(oid), std::string(40, '0'), oid,
                         {.commits = {.subject = subject}, .tag = true});
  };
  EXPECT_THAT(judge(tag, "^fix: "), IsOk());
  EXPECT_THAT(judge(tag, "^feat: "),
              FailsWith(Code::kInvalidArgument, "does not match ^feat: "));
  Git("-C work tag -a -m x files v1^{tree}");
  EXPECT_THAT(judge(Git("-C work rev-parse files"), ""),
              FailsWith(Code::kInvalidArgument, "is none"));
  Git("-C work tag -a -m x twice v1");
  EXPECT_THAT(judge(Git("-C work rev-parse twice"), ""),
              FailsWith(Code::kInvalidArgument, "is none"));
}

TEST_F(IncomingTest, SubjectsOfNewCommitsFollowTheRule) {
  const IncomingRules rules{.commits = {.subject = "^(feat|fix): .{1,20}$"}};
  Git("-C work commit -q --allow-empty -m 'feat: one' -m 'and why'");
  EXPECT_THAT(Check(Git("-C work rev-parse HEAD"), rules), IsOk());
  Git("-C work commit -q --allow-empty -m wip");
  Git("-C work commit -q --allow-empty -m 'fix: two'");
  EXPECT_THAT(Check(Git("-C work rev-parse HEAD"), rules),
              FailsWith(Code::kInvalidArgument,
                        ": \"wip\" does not match ^(feat|fix): .{1,20}$"));
  std::ofstream(root_ / "message") << "fix: " << std::string(2'000, 'x');
  Git("-C work commit -q --amend --allow-empty -F ../message");
  EXPECT_THAT(
      Check(Git("-C work rev-parse HEAD"), {.commits = {.subject = "fix"}}),
      FailsWith(Code::kInvalidArgument, "its first line has 2005 bytes"));
}

TEST_F(IncomingTest, MergesAreRefusedByRuleButThoseOfATemplate) {
  Git("-C work checkout -q -b side");
  const std::string side = Commit();
  Git("-C work checkout -q -");
  Commit("--date 2001-01-01T00:00:00Z");
  Git("-C work merge -q --no-ff -m Merge side");
  const std::string merge = Git("-C work rev-parse HEAD");
  EXPECT_THAT(Check(merge), IsOk());
  const IncomingRules rules{.commits = {.subject = "^x$", .linear = true}};
  EXPECT_THAT(Check(merge, rules),
              FailsWith(Code::kInvalidArgument, "is a merge"));
  // As an offer of a template is written.
  Git("-C work push -q origin side:refs/heads/template-v2");
  EXPECT_THAT(Check(merge, rules), IsOk());
}

TEST_F(IncomingTest, WhatIsReplacedKeepsAName) {
  const std::string commit = Push(path_, "a", "1", "A");
  Git("-C work reset -q --hard " + base_);
  const std::string other = Commit();
  const auto quarantine = Quarantine(other);
  ASSERT_THAT(CheckIncoming(path_, quarantine, commit, other), IsOk());
  // Again, as after a crash.
  ASSERT_THAT(CheckIncoming(path_, quarantine, commit, other), IsOk());
  EXPECT_EQ(Git("-C " + path_.string() + " rev-parse refs/pushes/" + commit),
            commit);
}

TEST_F(IncomingTest, QuarantineIsInItsRepository) {
  EXPECT_THAT(CheckIncoming(path_, root_ / "elsewhere", base_, base_),
              FailsWith(Code::kInternal, "unexpected place"));
}

}  // namespace
}  // namespace assay::repositories
