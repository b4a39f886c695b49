#include "services/repositories/tree_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace assay::repositories {
namespace {

using testing::HasSubstr;

v1::FileTree::File& Add(v1::FileTree& tree, const std::string& path,
                        std::uint32_t mode = 0100644) {
  v1::FileTree::File& file = *tree.add_files();
  file.set_path(path);
  file.set_mode(mode);
  return file;
}

std::string Refusal(const v1::FileTree& tree) {
  const Status status = CheckTemplateFiles(tree);
  return status ? "" : status.error().message;
}

std::string RefusalOf(const std::string& path, std::uint32_t mode = 0100644,
                      const std::string& content = "") {
  v1::FileTree tree;
  Add(tree, path, mode).set_content(content);
  return Refusal(tree);
}

TEST(TreeRulesTest, TakesOrdinaryNames) {
  for (const char* path : {"a", ".gitignore", "src/.github/x.yml", "-rf",
                           "sp ace/ümläut", "..a", "a..", "git"})
    EXPECT_EQ(RefusalOf(path), "") << path;
  EXPECT_EQ(RefusalOf("run", 0100755), "");
}

TEST(TreeRulesTest, RefusesWhatSomeSystemOpensAsDotGit) {
  for (const char* path :
       {".git/config", "a/.GIT/hooks/x", ".git ", ".git.", "GIT~1/x",
        ".g\xE2\x80\x8Cit/config", ".git::$INDEX_ALLOCATION"})
    EXPECT_NE(RefusalOf(path), "") << path;
}

TEST(TreeRulesTest, RefusesPathsThatAreNotPlainAndRelative) {
  for (const std::string& path :
       {std::string("/etc/passwd"), std::string("../x"), std::string("a/../b"),
        std::string("a//b"), std::string("./a"), std::string("a/"),
        std::string(), std::string("a\0b", 3), std::string("a\\b"),
        std::string("C:x"), std::string("a\nb"), std::string("\xFF"),
        std::string(2000, 'a'), std::string(256, 'a')})
    EXPECT_NE(RefusalOf(path), "") << path;
}

TEST(TreeRulesTest, RefusesWhatNoPushCouldBringAgain) {
  std::string path = "f";
  for (int i = 0; i < 64; ++i) path.insert(0, "d/");
  EXPECT_EQ(RefusalOf(path), "");
  EXPECT_THAT(RefusalOf("d/" + path), HasSubstr("more than 64 deep"));
}

TEST(TreeRulesTest, RefusesSubmodulesAndOddModes) {
  EXPECT_THAT(RefusalOf("vendored", 0160000), HasSubstr("submodule"));
  EXPECT_THAT(RefusalOf(".gitmodules"), HasSubstr("submodule"));
  EXPECT_THAT(RefusalOf("dir", 0040000), HasSubstr("mode 40000"));
  EXPECT_THAT(RefusalOf("suid", 0104755), HasSubstr("mode"));
}

TEST(TreeRulesTest, LinksStayInsideTheTree) {
  EXPECT_EQ(RefusalOf("a/b/link", 0120000, "../../c"), "");
  for (const char* target :
       {"/etc/passwd", "../../../c", "", "x/../../../c", "../../.git/hooks"})
    EXPECT_NE(RefusalOf("a/b/link", 0120000, target), "") << target;
}

TEST(TreeRulesTest, NamesTheOtherOfTwoThatDifferInCase) {
  v1::FileTree files;
  Add(files, "Makefile");
  Add(files, "makefile");
  EXPECT_THAT(Refusal(files), HasSubstr("Makefile"));

  v1::FileTree directories;
  Add(directories, "Src/a");
  Add(directories, "src/b");
  EXPECT_THAT(Refusal(directories), HasSubstr("only in case"));

  v1::FileTree mixed;
  Add(mixed, "a");
  Add(mixed, "a/b");
  EXPECT_THAT(Refusal(mixed), HasSubstr("which is a file"));
}

TEST(TreeRulesTest, ListsEveryProblemUpToTwenty) {
  v1::FileTree tree;
  for (int i = 0; i < 30; ++i) Add(tree, "../" + std::to_string(i));
  const std::string text = Refusal(tree);
  EXPECT_EQ(std::ranges::count(text, '\n'), 19);
}

TEST(TreeRulesTest, HoldsToItsLimits) {
  EXPECT_THAT(Refusal(v1::FileTree()), HasSubstr("empty"));
  v1::FileTree many;
  for (int i = 0; i <= kMaxTemplateFiles; ++i) Add(many, std::to_string(i));
  EXPECT_THAT(Refusal(many), HasSubstr("10001 files"));
  v1::FileTree large;
  Add(large, "a").set_content(std::string(kMaxTemplateBytes + 1, 'x'));
  EXPECT_THAT(Refusal(large), HasSubstr("bytes"));
}

}  // namespace
}  // namespace assay::repositories
