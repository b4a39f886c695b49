#include "sandbox/cell/tree_archive.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {
namespace {

using testing::HasSubstr;

class TreeArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "tree-XXXXXX";
    root_ = ::mkdtemp(path.data());
    std::filesystem::create_directory(root_ + "/in");
    directory_.Reset(::open((root_ + "/in").c_str(), O_PATH | O_DIRECTORY));
    archive_.Reset(::memfd_create("archive", MFD_CLOEXEC));
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  Status Unpack() {
    return UnpackTreeArchive(archive_.get(), directory_.get());
  }
  std::string Content(const std::string& name) const {
    std::ifstream in(root_ + "/in/" + name);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void Put(std::string_view bytes) const {
    ASSERT_EQ(::write(archive_.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string Record(char type, std::string_view path,
                            std::uint64_t size) {
    std::string bytes(1, type);
    bytes += static_cast<char>(path.size() & 0xff);
    bytes += static_cast<char>(path.size() >> 8);
    for (int i = 0; i < 8; ++i) {
      bytes += static_cast<char>(size >> (8 * i));
    }
    return bytes + std::string(path);
  }

  std::string root_;
  UniqueFd directory_;
  UniqueFd archive_;
};

TEST_F(TreeArchiveTest, TreeComesBack) {
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddFile("a/b/c", "deep"));
  ASSERT_TRUE(writer.AddFile("a/top", ""));
  ASSERT_TRUE(writer.AddFile("run", std::string(1 << 20, 'x'), true));
  ASSERT_TRUE(writer.AddDirectory("d/e"));
  ASSERT_TRUE(writer.AddSymlink("s", "../anywhere"));
  ASSERT_TRUE(writer.Finish());
  const auto status = Unpack();
  ASSERT_TRUE(status) << status.error();
  EXPECT_EQ(Content("a/b/c"), "deep");
  EXPECT_EQ(Content("run").size(), 1u << 20);
  EXPECT_TRUE(std::filesystem::is_directory(root_ + "/in/d/e"));
  EXPECT_EQ(std::filesystem::read_symlink(root_ + "/in/s"), "../anywhere");
  struct stat info;
  ::stat((root_ + "/in/run").c_str(), &info);
  EXPECT_NE(info.st_mode & S_IXUSR, 0u);
}

TEST_F(TreeArchiveTest, SecondUnpackingReplacesFiles) {
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddFile("f", "new"));
  ASSERT_TRUE(writer.Finish());
  ASSERT_TRUE(Unpack());
  std::ofstream(root_ + "/in/f") << "a longer old content";
  ASSERT_TRUE(Unpack());
  EXPECT_EQ(Content("f"), "new");
}

TEST_F(TreeArchiveTest, PlantedLinksAreNotFollowed) {
  std::filesystem::create_symlink("..", root_ + "/in/dir");
  std::ofstream(root_ + "/victim") << "untouched";
  std::filesystem::create_symlink("../victim", root_ + "/in/file");
  TreeArchiveWriter writer(archive_.get());
  ASSERT_TRUE(writer.AddFile("file", "inside"));
  ASSERT_TRUE(writer.AddFile("dir/victim", "escaped"));
  ASSERT_TRUE(writer.Finish());
  EXPECT_FALSE(Unpack());
  std::ifstream victim(root_ + "/victim");
  std::string content;
  std::getline(victim, content);
  EXPECT_EQ(content, "untouched");
  EXPECT_EQ(Content("file"), "inside");
}

TEST_F(TreeArchiveTest, WriterRefusesWhatTheFormatCannotHold) {
  TreeArchiveWriter writer(archive_.get());
  for (const char* path : {"", "/abs", "a//b", "a/", "./a", "a/../b", ".."}) {
    EXPECT_EQ(writer.AddFile(path, "x").error().code, Code::kInvalidArgument)
        << path;
  }
  EXPECT_FALSE(writer.AddFile(std::string(5000, 'x'), ""));
  EXPECT_FALSE(writer.AddSymlink("s", ""));
}

TEST_F(TreeArchiveTest, ReaderRefusesForgedPaths) {
  for (const char* path : {"../x", "/x", "a/../../x", "."}) {
    archive_.Reset(::memfd_create("archive", MFD_CLOEXEC));
    Put(std::string(kTreeArchiveMagic) + Record(2, path, 0) +
        std::string(11, '\0'));
    EXPECT_EQ(Unpack().error().code, Code::kDataLoss) << path;
  }
}

TEST_F(TreeArchiveTest, WhatIsCutShortOrNoArchiveIsTold) {
  EXPECT_THAT(Unpack().error().message, HasSubstr("cut short"));
  Put("PK\3\4....");
  EXPECT_THAT(Unpack().error().message, HasSubstr("not a tree archive"));
  archive_.Reset(::memfd_create("archive", MFD_CLOEXEC));
  Put(std::string(kTreeArchiveMagic) + Record(2, "f", 100) + "short");
  EXPECT_THAT(Unpack().error().message, HasSubstr("cut short"));
}

TEST_F(TreeArchiveTest, UnknownRecordTypeIsRefused) {
  Put(std::string(kTreeArchiveMagic) + Record(9, "f", 0));
  EXPECT_EQ(Unpack().error().code, Code::kDataLoss);
}

}  // namespace
}  // namespace assay::sandbox
