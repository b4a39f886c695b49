#include <fstream>

#include "proto/base/digest.h"
#include "services/storage/blobs/local.h"
#include "tests/services/storage/store_conformance.h"

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

}  // namespace
}  // namespace assay::storage
