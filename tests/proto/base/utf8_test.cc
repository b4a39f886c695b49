#include "proto/base/utf8.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(Utf8Test, TakesWellFormedText) {
  for (const char* text : {"", "plain", "\xC3\xBC", "\xE2\x82\xAC",
                           "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(IsUtf8(text)) << text;
}

TEST(Utf8Test, RefusesOverlongSurrogateTruncatedAndTooHigh) {
  for (const char* text :
       {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF", "a\xE2\x82"})
    EXPECT_FALSE(IsUtf8(text)) << text;
}

TEST(Utf8Test, PresentableLineKeepsTextAndNeutralisesTheRest) {
  EXPECT_EQ(PresentableLine("h\xC3\xBC", 10), "h\xC3\xBC");
  EXPECT_EQ(PresentableLine("\x1b[0m\n\xFF", 20),
            "\xEF\xBF\xBD[0m\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(PresentableLine("a\xE2\x82\xAC", 3), "a");
}

}  // namespace
}  // namespace assay
