#include "runner/worker/content_cache.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "proto/base/digest.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::worker {
namespace {

using assay::testing::FailsWith;
using assay::testing::IsOk;
namespace fs = std::filesystem;

class ContentCacheTest : public ::testing::Test {
 protected:
  ContentCache Open(std::int64_t max_bytes = 1 << 20) {
    return *ContentCache::Open(directory_.path() / "content", max_bytes);
  }
  static std::string Read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static Expected<fs::path> Put(ContentCache& cache, const std::string& text) {
    ASSAY_RETURN_IF_ERROR(cache.Append(Sha256Hex(text), 0, text));
    return cache.Finish(Sha256Hex(text));
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(ContentCacheTest, KeepsWhatWasFetchedInPieces) {
  ContentCache cache = Open();
  const std::string digest = Sha256Hex("hello world");
  EXPECT_FALSE(cache.Find(digest).has_value());
  ASSERT_THAT(cache.Append(digest, 0, "hello "), IsOk());
  ASSERT_THAT(cache.Append(digest, 6, "world"), IsOk());
  EXPECT_FALSE(cache.Find(digest).has_value());
  ASSERT_THAT(cache.Finish(digest), IsOk());
  EXPECT_EQ(Read(*cache.Find(digest)), "hello world");
  EXPECT_EQ(Read(*Open().Find(digest)), "hello world");
}

TEST_F(ContentCacheTest, ContentOfAnotherDigestIsRefusedAndForgotten) {
  ContentCache cache = Open();
  const std::string digest = Sha256Hex("what was asked for");
  ASSERT_THAT(cache.Append(digest, 0, "something else"), IsOk());
  EXPECT_THAT(cache.Finish(digest), FailsWith(Code::kDataLoss, digest));
  EXPECT_FALSE(cache.Find(digest).has_value());
}

TEST_F(ContentCacheTest, ANameThatIsNoDigestNeverBecomesAPath) {
  ContentCache cache = Open();
  EXPECT_THAT(cache.Append("../../etc/passwd", 0, "x"),
              FailsWith(Code::kInvalidArgument));
  EXPECT_FALSE(cache.Find("..").has_value());
}

TEST_F(ContentCacheTest, HalfFetchedContentIsGoneAfterARestart) {
  ContentCache cache = Open();
  const std::string digest = Sha256Hex("abc");
  ASSERT_THAT(cache.Append(digest, 0, "a"), IsOk());
  Open();
  EXPECT_TRUE(fs::is_empty(directory_.path() / "content"));
}

TEST_F(ContentCacheTest, TheOldestGoWhenThereIsTooMuch) {
  ContentCache cache = Open(/*max_bytes=*/250);
  const std::string old_text(100, 'o');
  const std::string young_text(100, 'y');
  const auto old_path = *Put(cache, old_text);
  fs::last_write_time(old_path,
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_THAT(Put(cache, young_text), IsOk());
  EXPECT_TRUE(cache.Find(Sha256Hex(young_text)).has_value());
  ASSERT_THAT(Put(cache, std::string(100, 'n')), IsOk());
  EXPECT_FALSE(fs::exists(old_path));
  // In use by a run that was leased just now.
  EXPECT_TRUE(cache.Find(Sha256Hex(young_text)).has_value());
}

}  // namespace
}  // namespace assay::worker
