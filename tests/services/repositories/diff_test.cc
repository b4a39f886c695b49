#include "services/repositories/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/repositories/git_fixture.h"

namespace assay::repositories {
namespace {

using Change = FileDelta::Change;

class DiffTest : public GitFixture {
 protected:
  const std::string base_ = MakeTemplate();
  const std::filesystem::path path_ = MakeRepository(base_);
};

TEST_F(DiffTest, ShowsEachKindOfChange) {
  Git("clone -q " + path_.string() + " work");
  Git("-C work mv src/run src/serve");
  Git("-C work rm -q start");
  std::ofstream(root_ / "work/src/app.py") << "print('hello')\nprint(1)\n";
  const std::string commit =
      Push(path_, "blob.bin", std::string("\0\1", 2), "Change");
  const auto diff = ReadDiff(OpenBare(path_)->get(), base_, commit);
  ASSERT_TRUE(diff) << diff.error();
  ASSERT_EQ(diff->files.size(), 4);
  const FileDelta &binary = diff->files[0], &edited = diff->files[1],
                  &renamed = diff->files[2], &deleted = diff->files[3];
  EXPECT_TRUE(binary.binary);
  EXPECT_EQ(binary.change, Change::kAdded);
  EXPECT_EQ(edited.patch, "@@ -1 +1,2 @@\n print('hello')\n+print(1)\n");
  EXPECT_EQ(edited.added_lines, 1);
  EXPECT_EQ(renamed.change, Change::kRenamed);
  EXPECT_EQ(renamed.old_path, "src/run");
  EXPECT_EQ(renamed.new_path, "src/serve");
  EXPECT_EQ(deleted.change, Change::kDeleted);
  EXPECT_EQ(deleted.new_path, "");
  EXPECT_EQ(diff->removed_lines, 1);
}

TEST_F(DiffTest, CutsAtALineEndAndSaysSo) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string commit = Push(path_, "long.txt", text, "Long");
  const auto diff =
      ReadDiff(OpenBare(path_)->get(), base_, commit, {.max_patch_bytes = 100});
  ASSERT_TRUE(diff) << diff.error();
  EXPECT_TRUE(diff->files[0].truncated);
  EXPECT_LE(diff->files[0].patch.size(), 100);
  EXPECT_EQ(diff->files[0].patch.back(), '\n');
  EXPECT_EQ(diff->files[0].added_lines, 100);
}

TEST_F(DiffTest, AgainstNothingEveryFileIsNew) {
  EXPECT_EQ(ReadDiff(OpenBare(path_)->get(), "", base_)->files.size(), 4);
  EXPECT_TRUE(
      ReadDiff(OpenBare(path_)->get(), "", base_, {.max_files = 2})->truncated);
}

}  // namespace
}  // namespace assay::repositories
