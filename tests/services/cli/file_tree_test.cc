#include "services/cli/file_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "services/cli/child.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class FileTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "tree-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(dir_); }

  void Write(const std::string& path, const std::string& content = "x") {
    fs::create_directories((dir_ / path).parent_path());
    std::ofstream(dir_ / path) << content;
  }
  int Git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"git", "-C", dir_.string(), "-c", "user.name=A", "-c",
                      "user.email=a@example.org"});
    return Capture(arguments)->exit_code;
  }
  static std::vector<std::string> Paths(const v1::FileTree& tree) {
    std::vector<std::string> paths;
    for (const auto& file : tree.files()) paths.push_back(file.path());
    return paths;
  }

  fs::path dir_;
};

TEST_F(FileTreeTest, ReadsFilesProgramsAndLinksInOrder) {
  Write("z");
  Write("a/run.sh");
  fs::permissions(dir_ / "a/run.sh", fs::perms::owner_all);
  fs::create_symlink("run.sh", dir_ / "a/link");
  Write(".git/config");
  const auto tree = ReadTree(dir_);
  ASSERT_TRUE(tree) << tree.error();
  EXPECT_THAT(Paths(*tree), ElementsAre("a/link", "a/run.sh", "z"));
  EXPECT_EQ(tree->files(0).mode(), 0120000u);
  EXPECT_EQ(tree->files(0).content(), "run.sh");
  EXPECT_EQ(tree->files(1).mode(), 0100755u);
  EXPECT_EQ(tree->files(2).mode(), 0100644u);
}

TEST_F(FileTreeTest, LinkThatLeadsOutIsRefused) {
  fs::create_symlink("../../etc/passwd", dir_ / "secret");
  const auto tree = ReadTree(dir_);
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("outside"));
  fs::remove(dir_ / "secret");
  fs::create_symlink("/etc/passwd", dir_ / "secret");
  EXPECT_FALSE(ReadTree(dir_));
}

TEST_F(FileTreeTest, FolderThatIsNotThereIsNamed) {
  const auto tree = ReadTree(dir_ / "nowhere");
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("nowhere is not a directory"));
}

TEST_F(FileTreeTest, TreeThatIsTooLargeIsRefused) {
  Write("big", std::string(kMostBytes + 1, 'x'));
  const auto tree = ReadTree(dir_);
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("more than 32 MiB"));
}

TEST_F(FileTreeTest, GitTemplateIsWhatWasCommitted) {
  Write("kept");
  ASSERT_EQ(Git({"init", "--quiet"}), 0);
  ASSERT_EQ(Git({"add", "."}), 0);
  ASSERT_EQ(Git({"commit", "--quiet", "-m", "one"}), 0);
  Write("not-committed");
  const auto tree = ReadGitTree(dir_.string(), "");
  ASSERT_TRUE(tree) << tree.error();
  EXPECT_THAT(Paths(*tree), ElementsAre("kept"));
}

TEST_F(FileTreeTest, TemplateThatIsNotARepositorySaysSo) {
  Write("file");
  const auto tree = ReadGitTree(dir_.string(), "");
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().message, HasSubstr("expected a git repository"));
}

TEST_F(FileTreeTest, GitOptionsInAUrlAreNotOptions) {
  const auto tree =
      ReadGitTree("--upload-pack=touch " + (dir_ / "owned").string(), "");
  EXPECT_FALSE(tree);
  EXPECT_FALSE(fs::exists(dir_ / "owned"));
}

TEST_F(FileTreeTest, PutFileKeepsTheOrder) {
  v1::FileTree tree;
  PutFile(tree, "b", "1");
  PutFile(tree, "a", "2");
  PutFile(tree, "c", "3");
  PutFile(tree, "b", "4");
  EXPECT_THAT(Paths(tree), ElementsAre("a", "b", "c"));
  EXPECT_EQ(tree.files(1).content(), "4");
}

}  // namespace
}  // namespace assay::cli
