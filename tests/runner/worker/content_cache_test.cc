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

TEST_F(ContentCacheTest, WhatWasUsedLongestAgoGoesWhenThereIsTooMuch) {
  ContentCache cache = Open(/*max_bytes=*/250);
  const std::string first(100, '1'), second(100, '2'), third(100, '3');
  ASSERT_THAT(Put(cache, first), IsOk());
  ASSERT_THAT(Put(cache, second), IsOk());
  // Used after the second, though it came before it.
  ASSERT_TRUE(cache.Find(Sha256Hex(first)).has_value());
  fs::last_write_time(*cache.Find(Sha256Hex(second)),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_THAT(Put(cache, third), IsOk());
  EXPECT_TRUE(cache.Find(Sha256Hex(first)).has_value());
  EXPECT_FALSE(cache.Find(Sha256Hex(second)).has_value());
  EXPECT_TRUE(cache.Find(Sha256Hex(third)).has_value());
}

TEST_F(ContentCacheTest, WhatARunIsAboutToReadStays) {
  ContentCache cache = Open(/*max_bytes=*/150);
  const std::string held_text(100, 'h');
  auto held = cache.Hold(Sha256Hex(held_text));
  ASSERT_THAT(Put(cache, held_text), IsOk());
  fs::last_write_time(*cache.Find(Sha256Hex(held_text)),
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_THAT(Put(cache, std::string(100, 'x')), IsOk());
  EXPECT_TRUE(cache.Find(Sha256Hex(held_text)).has_value());
  held.reset();
  ASSERT_THAT(Put(cache, std::string(100, 'y')), IsOk());
  EXPECT_FALSE(cache.Find(Sha256Hex(held_text)).has_value());
}

TEST_F(ContentCacheTest, AnEntryThatWasDamagedIsFetchedAnew) {
  ContentCache cache = Open();
  const std::string text(1000, 't');
  const auto path = *Put(cache, text);
  ASSERT_TRUE(cache.Find(Sha256Hex(text)).has_value());
  {
    std::fstream file(path, std::ios::in | std::ios::out);
    file.seekp(500);
    file << 'X';
  }
  EXPECT_FALSE(cache.Find(Sha256Hex(text)).has_value());
  EXPECT_FALSE(fs::exists(path));
  ASSERT_THAT(Put(cache, text), IsOk());
  EXPECT_TRUE(cache.Find(Sha256Hex(text)).has_value());
  // Also what was damaged while nobody was there.
  std::ofstream(path) << std::string(1000, 'u');
  EXPECT_FALSE(Open().Find(Sha256Hex(text)).has_value());
}

}  // namespace
}  // namespace assay::worker
