#include "services/maintenance/migrate_blobs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "services/coordinator/data_directory.h"
#include "services/maintenance/await_blobs.h"
#include "services/storage/blobs/open_blobs.h"
#include "tests/testing/matchers.h"
#include "tests/testing/s3_server.h"
#include "tests/testing/temporary_directory.h"

namespace assay::maintenance {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;

class MigrateBlobsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = tests::S3Server::Start();
    ASSERT_TRUE(started) << started.error();
    server_ = *std::move(started);
    setenv("AWS_ACCESS_KEY_ID", "S3RVER", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "S3RVER", 1);
    ASSERT_TRUE(coordinator::DataDirectory::Open(data_dir_));
    const auto local = *storage::OpenBlobs({}, data_dir_);
    for (int i = 0; i < 30; ++i)
      digests_.push_back(*AwaitBlobs(local->Put(std::to_string(i))));
  }
  Expected<MovedBlobs> Move(const std::string& to, std::string from = "") {
    return MigrateBlobs({.data_dir = data_dir_,
                         .from = std::move(from),
                         .to = to,
                         .endpoint = server_->endpoint(),
                         .region = "eu-test-1",
                         .progress = {}});
  }
  storage::BlobPlace Bucket() const {
    return {kBucket, server_->endpoint(), "eu-test-1"};
  }
  int FoundIn(const storage::BlobPlace& place) {
    const auto blobs = storage::OpenBlobs(place, data_dir_);
    if (!blobs) return -1;
    int found = 0;
    for (const std::string& digest : digests_)
      found += AwaitBlobs((*blobs)->Get(digest)).has_value() ? 1 : 0;
    return found;
  }

  static constexpr const char* kBucket = "s3://blobs/moved";
  testing::TemporaryDirectory root_;
  const fs::path data_dir_ = root_.path() / "data";
  std::unique_ptr<tests::S3Server> server_;
  std::vector<std::string> digests_;
};

TEST_F(MigrateBlobsTest, MovesThereAndBackAndHoldsToThePlace) {
  // Served from a bucket by mistake, it would miss what it has.
  EXPECT_THAT(storage::OpenBlobs(Bucket(), data_dir_),
              FailsWith(Code::kFailedPrecondition, "migrate-blobs --to"));
  const auto moved = Move(kBucket);
  ASSERT_TRUE(moved) << moved.error();
  EXPECT_EQ(moved->copied, 30);
  EXPECT_EQ(moved->total, 30);
  EXPECT_EQ(FoundIn(Bucket()), 30);
  EXPECT_THAT(storage::OpenBlobs({}, data_dir_),
              FailsWith(Code::kFailedPrecondition, kBucket));
  EXPECT_THAT(
      storage::OpenBlobs({"s3://blobs", server_->endpoint(), ""}, data_dir_),
      FailsWith(Code::kFailedPrecondition, kBucket));

  fs::remove_all(data_dir_ / "blobs");
  const auto back = Move("local");
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->copied, 30);
  EXPECT_EQ(FoundIn({}), 30);
}

TEST_F(MigrateBlobsTest, GoesOnWhereItWasCutOff) {
  server_->Break(R"({"kind": "denied", "method": "PUT", "match": "moved",
                     "skip": 10, "times": 1000})");
  ASSERT_THAT(Move(kBucket), FailsWith(Code::kUnavailable));
  // Nothing counts before all of it is there.
  EXPECT_EQ(FoundIn({}), 30);
  server_->Heal();
  const auto again = Move(kBucket);
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->present, 10);
  EXPECT_EQ(again->copied, 20);
  const auto repeated = Move(kBucket, "local");
  EXPECT_EQ(repeated->present, 30);
  EXPECT_EQ(repeated->copied, 0);
}

TEST_F(MigrateBlobsTest, ABrokenBlobEndsIt) {
  const std::string digest = digests_[7];
  const fs::path file = data_dir_ / "blobs" / digest.substr(0, 2) / digest;
  ::chmod(file.c_str(), 0600);
  std::ofstream(file) << "forged";
  EXPECT_THAT(Move(kBucket), FailsWith(Code::kDataLoss, digest));
  EXPECT_THAT(storage::OpenBlobs(Bucket(), data_dir_),
              FailsWith(Code::kFailedPrecondition));
}

}  // namespace
}  // namespace assay::maintenance
