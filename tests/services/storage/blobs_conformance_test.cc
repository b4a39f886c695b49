// What every blob store must do; the S3 one where ASSAY_STORE_TESTS=s3.

#include <functional>
#include <map>

#include "proto/base/digest.h"
#include "services/storage/blobs/local.h"
#include "services/storage/blobs/s3.h"
#include "tests/services/storage/s3_blobs.h"
#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using testing::Await;
using ::testing::ElementsAreArray;
using testing::FailsWith;
using ::testing::IsEmpty;

struct BlobsKind {
  std::string name;
  std::function<std::unique_ptr<BlobStore>(const std::filesystem::path&)> open;

  friend std::ostream& operator<<(std::ostream& out, const BlobsKind& kind) {
    return out << kind.name;
  }
};

std::vector<BlobsKind> Kinds() {
  if (HaveS3())
    return {{"S3", [](const std::filesystem::path& directory) {
               S3Settings settings = SharedS3Settings();
               settings.prefix = directory.filename().string() + "/";
               return OpenS3Blobs(std::move(settings)).value();
             }}};
  return {{"Local", [](const std::filesystem::path& directory) {
             return OpenLocalBlobs(directory).value();
           }}};
}

class BlobsConformanceTest : public ::testing::TestWithParam<BlobsKind> {
 protected:
  testing::TemporaryDirectory root_;
  std::unique_ptr<BlobStore> blobs_ = GetParam().open(root_.path());
};

INSTANTIATE_TEST_SUITE_P(Each, BlobsConformanceTest,
                         ::testing::ValuesIn(Kinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(BlobsConformanceTest, KeepsContentUnderItsDigest) {
  const std::string content("a\0b", 3);
  const auto digest = Await(blobs_->Put(content));
  EXPECT_EQ(digest, Sha256Hex(content));
  EXPECT_EQ(Await(blobs_->Put(content)), digest);
  EXPECT_EQ(Await(blobs_->Get(*digest)), content);
  EXPECT_EQ(Await(blobs_->Has(*digest)), true);
  EXPECT_EQ(Await(blobs_->Get(*Await(blobs_->Put("")))), "");
}

TEST_P(BlobsConformanceTest, KeepsContentOfAnySize) {
  // Below, at and beyond what goes up in one part.
  for (const std::size_t size : {65'535, 65'536, 65'537, 200'000}) {
    const std::string content(size, 'x');
    const auto digest = Await(blobs_->Put(content));
    ASSERT_EQ(digest, Sha256Hex(content)) << size;
    EXPECT_EQ(Await(blobs_->Get(*digest)), content) << size;
  }
}

TEST_P(BlobsConformanceTest, KeepsThemForWhoeverOpensItNext) {
  const std::string digest = *Await(blobs_->Put("content"));
  blobs_.reset();
  blobs_ = GetParam().open(root_.path());
  EXPECT_EQ(Await(blobs_->Get(digest)), "content");
}

TEST_P(BlobsConformanceTest, SaysWhatIsNotThere) {
  EXPECT_THAT(Await(blobs_->Get(std::string(64, 'a'))),
              FailsWith(Code::kNotFound));
  EXPECT_EQ(Await(blobs_->Has(std::string(64, 'a'))), false);
}

TEST_P(BlobsConformanceTest, ANameIsNoWayOut) {
  for (const char* name : {"../secret", "secret", "", "/etc/passwd"}) {
    EXPECT_THAT(Await(blobs_->Get(name)), FailsWith(Code::kNotFound)) << name;
    EXPECT_EQ(Await(blobs_->Has(name)), false) << name;
  }
}

TEST_P(BlobsConformanceTest, ListsThemInTheirOrderFromAnywhere) {
  EXPECT_THAT(*Await(blobs_->List("")), IsEmpty());
  std::vector<std::string> digests;
  for (int i = 0; i < 20; ++i)
    digests.push_back(*Await(blobs_->Put(std::to_string(i))));
  std::ranges::sort(digests);
  EXPECT_THAT(*Await(blobs_->List("")), ElementsAreArray(digests));
  const std::vector<std::string> rest(digests.begin() + 8, digests.end());
  EXPECT_THAT(*Await(blobs_->List(digests[7])), ElementsAreArray(rest));
  EXPECT_THAT(*Await(blobs_->List(digests.back())), IsEmpty());
}

TEST_P(BlobsConformanceTest, ServesManyAtOnce) {
  testing::EventLoop loop;
  std::vector<std::string> contents;
  int answered = 0;
  for (int i = 0; i < 40; ++i)
    contents.push_back("content " + std::to_string(i));
  for (const std::string& content : contents)
    boost::asio::co_spawn(loop.context(), blobs_->Put(content),
                          [&](std::exception_ptr error, auto digest) {
                            EXPECT_EQ(error, nullptr);
                            EXPECT_EQ(digest, Sha256Hex(content));
                            ++answered;
                          });
  loop.RunUntil([&] { return answered == 40; });
}

}  // namespace
}  // namespace assay::storage
