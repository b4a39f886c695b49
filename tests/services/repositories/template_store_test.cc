#include "services/repositories/template_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/repositories/git_fixture.h"

namespace assay::repositories {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class TemplateStoreTest : public GitFixture {};

TEST_F(TemplateStoreTest, IsOneRootCommitThatGitFindsSound) {
  const std::string commit = MakeTemplate();
  const std::string store = templates_.Path(commit).string();
  Git("-C " + store + " fsck --strict --no-dangling");
  EXPECT_EQ(Git("-C " + store + " rev-list --all"), commit);
  EXPECT_EQ(Git("-C " + store + " ls-tree -r --name-only main"),
            "README.md\nsrc/app.py\nsrc/run\nstart");
  EXPECT_THAT(Git("-C " + store + " ls-tree -r main"),
              testing::AllOf(HasSubstr("100755 blob"), HasSubstr("120000")));
}

TEST_F(TemplateStoreTest, EqualFilesAreAnEqualCommitInOneStore) {
  v1::FileTree tree, reversed;
  AddFile(tree, "a-b", "1");
  AddFile(tree, "a/b", "2");
  AddFile(reversed, "a/b", "2");
  AddFile(reversed, "a-b", "1");
  EXPECT_EQ(*templates_.Create(tree), *templates_.Create(reversed));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "templates"), {}), 1);
}

TEST_F(TemplateStoreTest, RefusedTemplateLeavesNothing) {
  v1::FileTree tree;
  AddFile(tree, ".git/config", "[core]");
  EXPECT_EQ(templates_.Create(tree).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(fs::is_empty(root_ / "templates"));
}

TEST_F(TemplateStoreTest, RepositoryClonesAndTakesAPush) {
  const auto repository = MakeRepository(MakeTemplate());
  const std::string commit = Push(repository, "src/app.py", "x\n", "Work");
  EXPECT_EQ(Git("-C " + repository.string() + " rev-parse main"), commit);
  Git("-C " + repository.string() + " fsck --strict --no-dangling");
}

TEST_F(TemplateStoreTest, RepositoriesOfOneTemplateDoNotShareWhatIsPushed) {
  const std::string base = MakeTemplate();
  const auto first = MakeRepository(base);
  const auto second = MakeRepository(base);
  const std::string commit = Push(first, "secret", "x\n", "Work");
  EXPECT_EQ(Git("-C " + second.string() + " rev-parse main"), base);
  int status = 0;
  Git("-C " + second.string() + " cat-file -e " + commit, &status);
  EXPECT_NE(status, 0);
  // What is linked into both must not have been written through.
  EXPECT_EQ(Git("-C " + templates_.Path(base).string() + " rev-list --all"),
            base);
}

TEST_F(TemplateStoreTest, RepositoryTakesLittleRoomAndMayBeMadeTwice) {
  const std::string base = MakeTemplate();
  const auto repository = MakeRepository(base);
  const std::string commit = Push(repository, "a", "x\n", "Work");
  EXPECT_TRUE(templates_.CreateRepository(base, repository));
  EXPECT_EQ(Git("-C " + repository.string() + " rev-parse main"), commit);

  std::uintmax_t blocks = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(MakeRepository(base)))
    blocks += entry.is_directory() ? 4096 : 0;
  EXPECT_LT(blocks, 64 << 10);
}

TEST_F(TemplateStoreTest, MovedDataDirectoryStillWorks) {
  const auto repository = MakeRepository(MakeTemplate());
  const fs::path relative = fs::relative(repository, root_);
  fs::rename(root_ / "templates", root_ / "moved-templates");
  fs::create_directories(root_ / "elsewhere");
  fs::rename(root_ / "moved-templates", root_ / "elsewhere/templates");
  fs::rename(root_ / "attempts", root_ / "elsewhere/attempts");
  Git("-C " + (root_ / "elsewhere" / relative).string() + " fsck --strict");
}

TEST_F(TemplateStoreTest, UnknownTemplateIsNotFound) {
  EXPECT_EQ(
      templates_.CreateRepository(std::string(40, 'a'), root_ / "attempts/x")
          .error()
          .code,
      Code::kNotFound);
  EXPECT_EQ(templates_.CreateRepository("../../etc", root_ / "attempts/x")
                .error()
                .code,
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace assay::repositories
