#include "services/dashboard/assets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace assay::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const gateway::Asset* Find(std::string_view path) {
  for (const gateway::Asset& asset : Assets()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

TEST(AssetsTest, FirstPageIsThereAndIsNeverKeptForEver) {
  const gateway::Asset* index = Find("/index.html");
  ASSERT_NE(index, nullptr);
  EXPECT_THAT(std::string(index->bytes), StartsWith("<!doctype html>"));
  EXPECT_FALSE(index->immutable);
}

// A script that is fetched only when it is needed is named by another script.
TEST(AssetsTest, EveryScriptAndStyleIsNamedSomewhere) {
  const std::string index(Find("/index.html")->bytes);
  int of_the_first_page = 0;
  for (const gateway::Asset& asset : Assets()) {
    if (!asset.immutable) continue;
    const std::string name(asset.path.substr(asset.path.rfind('/') + 1));
    bool named = index.find(asset.path) != std::string::npos;
    of_the_first_page += named ? 1 : 0;
    for (const gateway::Asset& other : Assets())
      named =
          named || (&other != &asset &&
                    std::string(other.bytes).find(name) != std::string::npos);
    EXPECT_TRUE(named) << asset.path;
  }
  EXPECT_GE(of_the_first_page, 2);
}

// The server forbids inline scripts; one here would be a blank page there.
TEST(AssetsTest, FirstPageHasNoInlineScript) {
  EXPECT_THAT(std::string(Find("/index.html")->bytes),
              Not(HasSubstr("<script>")));
}

TEST(AssetsTest, CompressedBytesAreGzipAndSmaller) {
  for (const gateway::Asset& asset : Assets()) {
    if (asset.gzip.empty()) continue;
    EXPECT_THAT(std::string(asset.gzip), StartsWith("\x1f\x8b")) << asset.path;
    EXPECT_LT(asset.gzip.size(), asset.bytes.size()) << asset.path;
  }
}

TEST(AssetsTest, EntityTagsAreQuotedAndDiffer) {
  std::set<std::string_view> seen;
  for (const gateway::Asset& asset : Assets()) {
    EXPECT_EQ(asset.etag.front(), '"') << asset.path;
    EXPECT_EQ(asset.etag.back(), '"') << asset.path;
    EXPECT_TRUE(seen.insert(asset.etag).second) << asset.path;
  }
}

}  // namespace
}  // namespace assay::dashboard
