#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "proto/base/digest.h"
#include "proto/base/fault_point.h"
#include "services/storage/blobs/local.h"
#include "tests/services/storage/store_conformance.h"
#include "tests/testing/flush_log.h"

namespace assay::storage {
namespace {

using testing::Await;
using testing::FailsWith;

class LocalBlobsTest : public ::testing::Test {
 protected:
  std::filesystem::path PathOf(const std::string& digest) const {
    return root_.path() / digest.substr(0, 2) / digest;
  }

  testing::TemporaryDirectory root_;
  std::unique_ptr<BlobStore> blobs_ = OpenLocalBlobs(root_.path()).value();
};

TEST_F(LocalBlobsTest, ANameIsNoWayOutOfTheDirectory) {
  std::ofstream(root_.path() / "secret") << "x";
  for (const char* name : {"../secret", "secret", "", "/etc/passwd"})
    EXPECT_THAT(Await(blobs_->Get(name)), FailsWith(Code::kNotFound)) << name;
}

TEST_F(LocalBlobsTest, FindsContentThatWasChanged) {
  const std::string digest = *Await(blobs_->Put("honest"));
  std::ofstream(PathOf(digest)) << "forged";
  EXPECT_THAT(Await(blobs_->Get(digest)), FailsWith(Code::kDataLoss));
}

TEST_F(LocalBlobsTest, LeavesNoDraftWhenItCannotWrite) {
  const std::string digest = Sha256Hex("content");
  // Where the blob's directory should be, there is a file.
  std::ofstream(root_.path() / digest.substr(0, 2)) << "x";
  EXPECT_THAT(Await(blobs_->Put("content")), FailsWith(Code::kUnavailable));
  EXPECT_EQ(Await(blobs_->Has(digest)), false);
}

// The disk is full in the middle of a write, by this process' own limit.
TEST_F(LocalBlobsTest, AFullDiskLeavesNothingHalfWritten) {
  const std::string content(64 << 10, 'x');
  const auto before = signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit full{4 << 10, limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = Await(blobs_->Put(content));
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, before);
  EXPECT_THAT(refused, FailsWith(Code::kUnavailable, "check the disk"));
  const auto parent = PathOf(Sha256Hex(content)).parent_path();
  EXPECT_TRUE(std::filesystem::is_empty(parent));
  // It heals by itself.
  EXPECT_EQ(Await(blobs_->Get(*Await(blobs_->Put(content)))), content);
}

// Half of a blob never has its name.
TEST_F(LocalBlobsTest, AWriterThatWasKilledLeavesNoBlob) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    setenv("ASSAY_FAULT", "blob.drafted:1", 1);
    if (!ArmFaultPoint()) _exit(1);
    const auto blobs = OpenLocalBlobs(root_.path()).value();
    testing::EventLoop loop;
    static_cast<void>(loop.Await(blobs->Put("content")));
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(Await(blobs_->Has(Sha256Hex("content"))), false);
}

TEST_F(LocalBlobsTest, WhatIsAcknowledgedIsFlushedWithItsName) {
  const testing::FlushLog log;
  const auto path = PathOf(*Await(blobs_->Put("content")));
  EXPECT_TRUE(log.HasContent(path));
  EXPECT_TRUE(log.HasName(path));
  EXPECT_TRUE(log.HasName(path.parent_path()));
}

// Whoever put it there may have died before the flush.
TEST_F(LocalBlobsTest, WhatIsThereAlreadyIsFlushedTooBeforeItIsAcknowledged) {
  const auto path = PathOf(*Await(blobs_->Put("content")));
  const testing::FlushLog log;
  ASSERT_TRUE(Await(blobs_->Put("content")));
  EXPECT_TRUE(log.HasName(path));
}

}  // namespace
}  // namespace assay::storage
