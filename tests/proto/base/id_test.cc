#include "proto/base/id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace assay {
namespace {

TEST(IdTest, SaysWhatItNamesAndDoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const RunId id = RunId::Random();
    EXPECT_THAT(id.str(), testing::MatchesRegex("run_[0-9a-z]{20}"));
    EXPECT_TRUE(seen.insert(id.str()).second);
  }
}

TEST(IdTest, TokensUseTheWholeAlphabet) {
  std::set<char> seen;
  for (const char c : RandomToken(4096)) seen.insert(c);
  EXPECT_EQ(seen.size(), 32u);
}

}  // namespace
}  // namespace assay
