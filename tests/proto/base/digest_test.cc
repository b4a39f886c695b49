#include "proto/base/digest.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

TEST(DigestTest, MatchesTheStandardsTestVector) {
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(Sha256Hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, HexGoesBothWaysAndRefusesWhatIsNotHex) {
  const std::string bytes("\x00\x7f\xff", 3);
  EXPECT_EQ(ToHex(bytes), "007fff");
  EXPECT_EQ(FromHex("007FfF"), bytes);
  EXPECT_EQ(FromHex("0"), "");
  EXPECT_EQ(FromHex("zz"), "");
}

}  // namespace
}  // namespace assay
