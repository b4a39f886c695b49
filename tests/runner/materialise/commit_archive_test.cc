#include "runner/materialise/commit_archive.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sandbox/cell/tree_archive.h"
#include "tests/runner/materialise/git_pack.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::materialise {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
using assay::testing::TemporaryDirectory;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CommitArchiveTest : public ::testing::Test {
 protected:
  CommitArchiveTest() : pack_(directory_.path()) { fs::create_directory(out_); }

  Expected<sandbox::UniqueFd> Archive(const std::string& commit) {
    const sandbox::UniqueFd pack = pack_.Finish();
    return ArchiveCommit(
        CommitSource{.pack_fd = pack.get(),
                     .commit = commit,
                     .scratch = scratch_,
                     .program = std::getenv("ASSAY_PACK_CHILD")},
        limits_);
  }

  // Unpacks into out_.
  Status Unpack(const std::string& commit) {
    ASSAY_ASSIGN_OR_RETURN(const sandbox::UniqueFd archive, Archive(commit));
    const sandbox::UniqueFd into(open(out_.c_str(), O_DIRECTORY | O_RDONLY));
    return sandbox::UnpackTreeArchive(archive.get(), into.get());
  }

  std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(out_ / path).rdbuf();
    return text.str();
  }

  std::string CommitOf(const std::vector<GitPack::Entry>& entries) {
    return pack_.Commit(pack_.Tree(entries));
  }

  TemporaryDirectory directory_;
  const fs::path out_ = directory_.path() / "out";
  const std::string scratch_ = directory_.path() / "scratch";
  GitPack pack_;
  TreeLimits limits_;
};

TEST_F(CommitArchiveTest, FilesModesDirectoriesAndLinksComeThrough) {
  const git_oid inner = pack_.Tree({{"100644", "b.txt", pack_.Blob("deep")}});
  const std::string commit =
      CommitOf({{"100644", "a.txt", pack_.Blob("hello\n")},
                {"40000", "dir", inner},
                {"120000", "link", pack_.Blob("dir/b.txt")},
                {"100755", "run.sh", pack_.Blob("#!/bin/sh\n")}});
  ASSERT_THAT(Unpack(commit), IsOk());
  EXPECT_EQ(Read("a.txt"), "hello\n");
  EXPECT_EQ(Read("dir/b.txt"), "deep");
  EXPECT_EQ(fs::read_symlink(out_ / "link"), "dir/b.txt");
  struct stat status;
  ASSERT_EQ(stat((out_ / "run.sh").c_str(), &status), 0);
  EXPECT_NE(status.st_mode & S_IXUSR, 0u);
  ASSERT_EQ(stat((out_ / "a.txt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & S_IXUSR, 0u);
}

TEST_F(CommitArchiveTest, AnEmptyTreeIsAnEmptyArchive) {
  ASSERT_THAT(Unpack(CommitOf({})), IsOk());
  EXPECT_TRUE(fs::is_empty(out_));
}

TEST_F(CommitArchiveTest, TheArchiveIsSealed) {
  auto archive = Archive(CommitOf({}));
  ASSERT_THAT(archive, IsOk());
  EXPECT_EQ(fcntl(archive->get(), F_GET_SEALS),
            F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

TEST_F(CommitArchiveTest, ScratchIsEmptyAfterSuccessAndAfterFailure) {
  ASSERT_THAT(Archive(CommitOf({})), IsOk());
  EXPECT_TRUE(fs::is_empty(scratch_));
  ASSERT_FALSE(Archive(CommitOf({{"100644", "..", pack_.Blob("x")}})));
  EXPECT_TRUE(fs::is_empty(scratch_));
}

TEST_F(CommitArchiveTest, ATreeBombIsRefusedAtOnce) {
  // 12 objects that unfold to 10^10 files.
  git_oid tree = pack_.Tree({{"100644", "f", pack_.Blob("x")}});
  for (int level = 0; level < 10; ++level) {
    std::vector<GitPack::Entry> entries;
    for (int i = 0; i < 10; ++i)
      entries.push_back({"40000", std::to_string(i), tree});
    tree = pack_.Tree(entries);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(Archive(pack_.Commit(tree)),
              FailsWith(Code::kResourceExhausted, "more than 200000 files"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST_F(CommitArchiveTest, ABlobThatIsNamedOftenCountsEachTime) {
  const git_oid blob = pack_.Blob(std::string(1 << 20, 'x'));
  std::vector<GitPack::Entry> entries;
  for (char name = 'a'; name <= 'z'; ++name)
    entries.push_back({"100644", std::string(1, name), blob});
  limits_.total_bytes = 20 << 20;
  EXPECT_THAT(Archive(CommitOf(entries)),
              FailsWith(Code::kResourceExhausted, "20971520 bytes"));
}

TEST_F(CommitArchiveTest, ALargeFileIsNamedWithBothNumbers) {
  limits_.file_bytes = 1000;
  EXPECT_THAT(Archive(CommitOf(
                  {{"100644", "big.bin", pack_.Blob(std::string(1001, 'x'))}})),
              FailsWith(Code::kResourceExhausted,
                        "big.bin has 1001 bytes, the limit is 1000"));
}

TEST_F(CommitArchiveTest, AChainOfDirectoriesIsRefusedBeforeItIsFollowed) {
  git_oid tree = pack_.Tree({});
  for (int level = 0; level < 5'000; ++level)
    tree = pack_.Tree({{"40000", "d", tree}});
  EXPECT_THAT(Archive(pack_.Commit(tree)),
              FailsWith(Code::kResourceExhausted, "nested more than 64 deep"));
}

TEST_F(CommitArchiveTest, LongPathsAreRefusedThoughEachNameIsFine) {
  git_oid tree = pack_.Tree({});
  for (int level = 0; level < 30; ++level)
    tree = pack_.Tree({{"40000", std::string(200, 'd'), tree}});
  EXPECT_THAT(Archive(pack_.Commit(tree)),
              FailsWith(Code::kResourceExhausted, "path of more than 4095"));
}

TEST_F(CommitArchiveTest, SubmodulesAreRefusedByName) {
  git_oid commit{};
  commit.id[0] = 1;
  EXPECT_THAT(Archive(CommitOf({{"160000", "vendor", commit}})),
              FailsWith(Code::kInvalidArgument, "a submodule at vendor"));
}

TEST_F(CommitArchiveTest, NamesThatLeaveTheDirectoryAreRefused) {
  const git_oid blob = pack_.Blob("x");
  for (const std::string name :
       {"..", ".", "a/b", "../up", "/etc/passwd", ".git", ".GIT", "git~1"})
    EXPECT_THAT(Archive(CommitOf({{"100644", name, blob}})),
                FailsWith(Code::kInvalidArgument, "\"" + name + "\""))
        << name;
  EXPECT_THAT(Archive(CommitOf({{"100644", std::string(256, 'n'), blob}})),
              FailsWith(Code::kInvalidArgument, "at most 255 bytes"));
}

TEST_F(CommitArchiveTest, NamesThatOnlyLookLikeGitsAreTaken) {
  const git_oid blob = pack_.Blob("x");
  ASSERT_THAT(Unpack(CommitOf({{"100644", ".gitignore", blob},
                               {"100644", "...", blob},
                               {"100644", "-rf", blob},
                               {"100644", "a b\n\xff", blob}})),
              IsOk());
  EXPECT_EQ(Read(".gitignore"), "x");
  EXPECT_EQ(Read("a b\n\xff"), "x");
}

TEST_F(CommitArchiveTest, ALinkAndADirectoryOfOneNameAreRefused) {
  const git_oid inner = pack_.Tree({{"100644", "passwd", pack_.Blob("owned")}});
  EXPECT_THAT(Archive(CommitOf({{"120000", "a", pack_.Blob("/etc")},
                                {"40000", "a", inner}})),
              FailsWith(Code::kInvalidArgument, "\"a\" twice"));
}

TEST_F(CommitArchiveTest, LinksOutsideAreArchivedAsLinks) {
  ASSERT_THAT(Unpack(CommitOf({{"120000", "out", pack_.Blob("/etc/passwd")}})),
              IsOk());
  EXPECT_EQ(fs::read_symlink(out_ / "out"), "/etc/passwd");
}

TEST_F(CommitArchiveTest, LinksWithBadTargetsAreRefused) {
  EXPECT_THAT(Archive(CommitOf({{"120000", "l", pack_.Blob("")}})),
              FailsWith(Code::kInvalidArgument, "target of 0 bytes"));
  EXPECT_THAT(
      Archive(CommitOf({{"120000", "l", pack_.Blob(std::string("a\0b", 3))}})),
      FailsWith(Code::kInvalidArgument, "a NUL in its target"));
}

TEST_F(CommitArchiveTest, ATreeThatIsNoTreeIsTheCommitsFault) {
  const git_oid garbage = pack_.Write(GIT_OBJECT_TREE, "100644 no-oid");
  const auto archive = Archive(pack_.Commit(garbage));
  ASSERT_FALSE(archive);
  EXPECT_TRUE(IsCommitsFault(archive.error())) << archive.error();
}

TEST_F(CommitArchiveTest, AnObjectThatIsMissingIsOurFault) {
  const git_oid blob = pack_.Blob("x");
  const std::string commit = CommitOf({{"100644", "a", blob}});
  pack_.Delete(blob);
  const auto archive = Archive(commit);
  EXPECT_THAT(archive, FailsWith(Code::kDataLoss));
}

TEST_F(CommitArchiveTest, ACommitThatThePackDoesNotHoldIsOurFault) {
  CommitOf({});
  EXPECT_THAT(Archive(std::string(40, 'a')), FailsWith(Code::kDataLoss));
}

TEST_F(CommitArchiveTest, APackOfGarbageIsOurFaultAndNoCrash) {
  std::ofstream(directory_.path() / "garbage") << "PACK but not really";
  const sandbox::UniqueFd pack(
      open((directory_.path() / "garbage").c_str(), O_RDONLY));
  EXPECT_THAT(
      ArchiveCommit(CommitSource{.pack_fd = pack.get(),
                                 .commit = std::string(40, 'a'),
                                 .scratch = scratch_,
                                 .program = std::getenv("ASSAY_PACK_CHILD")},
                    limits_),
      FailsWith(Code::kDataLoss));
}

TEST_F(CommitArchiveTest, TooManyObjectsAreRefusedByTheirNumber) {
  std::vector<GitPack::Entry> entries;
  for (int i = 0; i < 50; ++i)
    entries.push_back(
        {"100644", std::to_string(1000 + i), pack_.Blob(std::to_string(i))});
  limits_.objects = 20;
  EXPECT_THAT(Archive(CommitOf(entries)), FailsWith(Code::kResourceExhausted));
}

TEST_F(CommitArchiveTest, ABombOfCompressionMeetsTheMemoryLimit) {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers reserve more than any limit";
#endif
  // 200 MiB of zeros are 200 KiB in the pack.
  const git_oid blob = pack_.Blob(std::string(200 << 20, '\0'));
  limits_.memory_bytes = 128 << 20;
  const auto archive = Archive(CommitOf({{"100644", "zeros", blob}}));
  EXPECT_THAT(archive, FailsWith(Code::kResourceExhausted));
}

TEST_F(CommitArchiveTest, AChildThatDiesIsOurFault) {
  CommitOf({});
  EXPECT_THAT(Archive("crash"), FailsWith(Code::kInternal, "signal 15"));
}

TEST_F(CommitArchiveTest, AFolderThatCannotBeMadeIsOurFault) {
  const sandbox::UniqueFd pack = pack_.Finish();
  const auto archive =
      ArchiveCommit(CommitSource{.pack_fd = pack.get(),
                                 .commit = std::string(40, 'a'),
                                 .scratch = "/proc/nowhere",
                                 .program = std::getenv("ASSAY_PACK_CHILD")},
                    limits_);
  ASSERT_FALSE(archive);
  EXPECT_FALSE(IsCommitsFault(archive.error()));
}

}  // namespace
}  // namespace assay::materialise
