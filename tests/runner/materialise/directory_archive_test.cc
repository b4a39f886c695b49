#include "runner/materialise/directory_archive.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sandbox/cell/tree_archive.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::materialise {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
namespace fs = std::filesystem;

class DirectoryArchiveTest : public ::testing::Test {
 protected:
  DirectoryArchiveTest() {
    fs::create_directories(in_ / "src");
    fs::create_directories(in_ / ".git");
    fs::create_directories(out_);
    std::ofstream(in_ / "src" / "main.py") << "print(1)\n";
    std::ofstream(in_ / ".git" / "config") << "[core]\n";
  }

  Status CopyThroughArchive() {
    ASSAY_ASSIGN_OR_RETURN(const sandbox::UniqueFd archive,
                           ArchiveDirectory(in_, limits_));
    const sandbox::UniqueFd into(open(out_.c_str(), O_DIRECTORY | O_RDONLY));
    return sandbox::UnpackTreeArchive(archive.get(), into.get());
  }

  assay::testing::TemporaryDirectory directory_;
  const fs::path in_ = directory_.path() / "in";
  const fs::path out_ = directory_.path() / "out";
  TreeLimits limits_;
};

TEST_F(DirectoryArchiveTest, CopiesFilesAndLinksWithoutTheRepository) {
  fs::create_symlink("src/main.py", in_ / "entry");
  ASSERT_THAT(CopyThroughArchive(), IsOk());
  EXPECT_TRUE(fs::exists(out_ / "src" / "main.py"));
  EXPECT_TRUE(fs::is_symlink(out_ / "entry"));
  EXPECT_FALSE(fs::exists(out_ / ".git"));
}

TEST_F(DirectoryArchiveTest, AFifoIsRefusedInsteadOfWaitedFor) {
  ASSERT_EQ(mkfifo((in_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(CopyThroughArchive(),
              FailsWith(Code::kInvalidArgument, "pipe is neither a file"));
}

TEST_F(DirectoryArchiveTest, LimitsHold) {
  limits_.entries = 1;
  EXPECT_THAT(CopyThroughArchive(), FailsWith(Code::kResourceExhausted));
  limits_ = {.file_bytes = 3};
  EXPECT_THAT(CopyThroughArchive(),
              FailsWith(Code::kResourceExhausted, "src/main.py"));
}

TEST_F(DirectoryArchiveTest, ADirectoryThatIsNotThereIsNamed) {
  EXPECT_THAT(ArchiveDirectory(directory_.path() / "nowhere", limits_),
              FailsWith(Code::kNotFound, "nowhere"));
}

}  // namespace
}  // namespace assay::materialise
