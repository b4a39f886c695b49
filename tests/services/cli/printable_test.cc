#include "services/cli/printable.h"

#include <gtest/gtest.h>

namespace assay::cli {
namespace {

TEST(PrintableTest, TakesEscapeSequencesApart) {
  EXPECT_EQ(Printable("\x1b]0;owned\x07ok\x1b[31m"), "]0;ownedok[31m");
}

TEST(PrintableTest, TakesOutC1ControlsWrittenAsUtf8) {
  // U+009B is CSI to some terminals.
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "31mb"),
            "a31mb");
}

TEST(PrintableTest, TakesOutTextThatReordersItsNeighbours) {
  EXPECT_EQ(Printable("a\xE2\x80\xAE"
                      "b\xE2\x81\xA6"
                      "c"),
            "abc");
}

TEST(PrintableTest, KeepsLineBreaksOnlyWhereAsked) {
  EXPECT_EQ(Printable("a\n\tb\r\n"), "a  b ");
  EXPECT_EQ(Printable("a\n\tb\r\n", Lines::kMany), "a\n\tb\n");
}

TEST(PrintableTest, MarksBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("a\xFFz"), "a\xEF\xBF\xBDz");
  // Overlong slash, a surrogate, a sequence that is cut off.
  EXPECT_EQ(Printable("\xC0\xAF").find('/'), std::string::npos);
  EXPECT_EQ(Printable("\xED\xA0\x80").substr(0, 3), "\xEF\xBF\xBD");
  EXPECT_EQ(Printable("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(PrintableTest, KeepsOtherLanguages) {
  EXPECT_EQ(Printable("Größe 价格 🙂"), "Größe 价格 🙂");
}

TEST(ShortenTest, CutsBetweenCodePoints) {
  EXPECT_EQ(Shorten("Größe", 5), "Größe");
  EXPECT_EQ(Shorten("Größe", 4), "Grö…");
  EXPECT_EQ(Shorten("Größe", 0), "");
}

TEST(PadTest, CountsCodePointsNotBytes) {
  EXPECT_EQ(PadRight("öl", 4), "öl  ");
  EXPECT_EQ(PadLeft("öl", 4), "  öl");
  EXPECT_EQ(PadLeft("longer", 4), "longer");
}

}  // namespace
}  // namespace assay::cli
