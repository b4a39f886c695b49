#include "services/repositories/pack_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/base/digest.h"
#include "tests/services/repositories/git_fixture.h"

namespace assay::repositories {
namespace {

using testing::HasSubstr;

class PackWriterTest : public GitFixture {};

std::string Slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(PackWriterTest, HoldsTheCommitsFilesAndNotItsHistory) {
  const std::string base = MakeTemplate();
  const auto repository = MakeRepository(base);
  Push(repository, "old.txt", "gone\n", "Add");
  Git("-C work rm -q old.txt");
  const std::string commit = Push(repository, "new.txt", "kept\n", "Replace");

  const auto pack = WriteCommitPack(repository, commit, root_ / "commit.pack");
  ASSERT_TRUE(pack) << pack.error();
  const std::string bytes = Slurp(pack->path);
  EXPECT_EQ(pack->digest, Sha256Hex(bytes));
  EXPECT_EQ(pack->bytes, static_cast<std::int64_t>(bytes.size()));

  // A stock git can check the commit out of this pack alone.
  Git("init -q --bare fresh");
  Git("-C fresh unpack-objects -q < " + pack->path.string());
  EXPECT_THAT(Git("-C fresh ls-tree -r --name-only " + commit),
              HasSubstr("new.txt"));
  EXPECT_EQ(Git("-C fresh cat-file blob " + commit + ":src/app.py"),
            "print('hello')");
  int status = 0;
  Git("-C fresh cat-file -e " + base, &status);
  EXPECT_NE(status, 0);
}

TEST_F(PackWriterTest, RefusesATreeBombQuickly) {
  const auto repository = MakeRepository(MakeTemplate());
  Git("clone -q " + repository.string() + " work");
  // Each level names the one below ten times: 10^12 files in 13 objects.
  std::string entry = "100644 blob " + Git("-C work rev-parse HEAD:README.md");
  for (int level = 0; level < 12; ++level) {
    std::ofstream list(root_ / "list");
    for (int i = 0; i < 10; ++i) list << entry << "\t" << i << "\n";
    list.close();
    entry = "040000 tree " + Git("-C work mktree < list");
  }
  const std::string commit =
      Git("-C work commit-tree -m bomb " + entry.substr(12));
  Git("-C work push -q origin " + commit + ":refs/heads/bomb");

  const auto pack = WriteCommitPack(repository, commit, root_ / "bomb.pack");
  ASSERT_FALSE(pack);
  EXPECT_EQ(pack.error().code, Code::kResourceExhausted);
  EXPECT_THAT(pack.error().message, HasSubstr("50000 files"));
  EXPECT_FALSE(std::filesystem::exists(root_ / "bomb.pack"));
}

TEST_F(PackWriterTest, RefusesDeepAndLargeTrees) {
  const auto repository = MakeRepository(MakeTemplate());
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "d/";
  const std::string nested = Push(repository, deep + "f", "x\n", "Deep");
  EXPECT_THAT(
      WriteCommitPack(repository, nested, root_ / "a.pack").error().message,
      HasSubstr("nested more than 64"));
  const std::string commit =
      Git("-C " + repository.string() + " rev-parse main~1");
  EXPECT_THAT(
      WriteCommitPack(repository, commit, root_ / "a.pack", {.max_bytes = 10})
          .error()
          .message,
      HasSubstr("more than 10 bytes"));
}

TEST_F(PackWriterTest, UnknownCommitIsNotFound) {
  const auto repository = MakeRepository(MakeTemplate());
  EXPECT_EQ(WriteCommitPack(repository, std::string(40, 'b'), root_ / "p")
                .error()
                .code,
            Code::kNotFound);
  EXPECT_EQ(WriteCommitPack(repository, "HEAD", root_ / "p").error().code,
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace assay::repositories
