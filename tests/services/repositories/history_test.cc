#include "services/repositories/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/repositories/fixed_refs.h"
#include "services/repositories/integrity.h"
#include "tests/services/repositories/git_fixture.h"

namespace assay::repositories {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

class HistoryTest : public GitFixture {
 protected:
  HistoryTest() {
    first_ = Push(path_, "a", "1\n", "First\n\nbody");
    second_ = Push(path_, "a", "2\n", "Second");
    handle_ = *OpenBare(path_);
  }

  const std::string base_ = MakeTemplate();
  const std::filesystem::path path_ = MakeRepository(base_);
  std::string first_, second_;
  RepositoryHandle handle_;
};

TEST_F(HistoryTest, DescribesACommit) {
  const auto info = ReadCommit(handle_.get(), first_);
  ASSERT_TRUE(info) << info.error();
  EXPECT_EQ(info->subject, "First");
  EXPECT_EQ(info->body, "body");
  EXPECT_EQ(info->author_name, "c");
  EXPECT_THAT(info->parents, ElementsAre(base_));
  EXPECT_EQ(ReadCommit(handle_.get(), std::string(40, '0')).error().code,
            Code::kNotFound);
}

TEST_F(HistoryTest, ForgedDatesAndNamesAreCarriedButHarmless) {
  std::ofstream(root_ / "object")
      << "tree " << Git("-C work rev-parse HEAD^{tree}")
      << "\nauthor \xFF\xFE <x> 99999999999999 +0000\n"
      << "committer c <x> 1 +0000\n\n\x1b[31mred\xFF\n";
  const std::string forged =
      Git("-C " + path_.string() + " hash-object --literally -t commit -w " +
          (root_ / "object").string());
  const auto info = ReadCommit(handle_.get(), forged);
  ASSERT_TRUE(info) << info.error();
  EXPECT_EQ(info->subject, "\xEF\xBF\xBD[31mred\xEF\xBF\xBD");
  EXPECT_LE(ToMicros(info->author_time), 253402300799 * 1'000'000);
}

TEST_F(HistoryTest, IsNewestFirstAndLimited) {
  const auto all = ReadHistory(handle_.get(), second_, 10);
  EXPECT_THAT(*all, ElementsAre(Field(&CommitInfo::commit, second_),
                                Field(&CommitInfo::commit, first_),
                                Field(&CommitInfo::commit, base_)));
  EXPECT_EQ(ReadHistory(handle_.get(), second_, 1)->size(), 1);
}

TEST_F(HistoryTest, KnowsAncestors) {
  EXPECT_TRUE(*IsAncestor(handle_.get(), first_, second_));
  EXPECT_TRUE(*IsAncestor(handle_.get(), first_, first_));
  EXPECT_FALSE(*IsAncestor(handle_.get(), second_, first_));
}

TEST_F(HistoryTest, SubmissionRefsNeverMoveAndSurviveGc) {
  ASSERT_TRUE(
      WriteFixedRef(handle_.get(), path_, "refs/submissions/1", first_));
  EXPECT_TRUE(
      WriteFixedRef(handle_.get(), path_, "refs/submissions/1", first_));
  EXPECT_EQ(WriteFixedRef(handle_.get(), path_, "refs/submissions/1", second_)
                .error()
                .code,
            Code::kAlreadyExists);
  Git("-C work reset -q --hard " + base_);
  Git("-C work push -qf origin HEAD:main");
  Git("-C " + path_.string() + " gc -q --prune=now");
  Git("-C " + path_.string() + " cat-file -e " + first_);
  EXPECT_THAT(*ReadRefs(OpenBare(path_)->get()),
              ElementsAre(Field(&RefTip::name, "refs/heads/main"),
                          Field(&RefTip::name, "refs/submissions/1")));
}

TEST_F(HistoryTest, CheckFindsAMissingAndADamagedObject) {
  EXPECT_THAT(*CheckReachable(handle_.get()), IsEmpty());
  const std::string blob = Git("-C work rev-parse HEAD:a");
  const auto file = path_ / "objects" / blob.substr(0, 2) / blob.substr(2);
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  std::ofstream(file) << "junk";
  EXPECT_THAT(*CheckReachable(OpenBare(path_)->get()),
              ElementsAre(HasSubstr("damaged")));
  std::filesystem::remove(file);
  EXPECT_THAT(*CheckReachable(OpenBare(path_)->get()),
              ElementsAre(HasSubstr("missing")));
}

}  // namespace
}  // namespace assay::repositories
