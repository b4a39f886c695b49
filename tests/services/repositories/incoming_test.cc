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
