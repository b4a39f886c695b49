#include "services/cli/printable.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/v1/run.pb.h"
#include "services/cli/console.h"

namespace assay::cli {
namespace {

using namespace std::string_literals;

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

// What candidates have tried in logs, names, JUnit reports and attributes.
const std::string kHostile[] = {
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.test/\x1b\\click here\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H\x1b[?1049h",
    "\x1b[31mred\x1b[0m",
    "\x1bP+q544e\x1b\\",
    "\xC2\x9B"
    "2J\xC2\x9D"
    "0;t\xC2\x9C",
    "\x9B"
    "2J",
    "a\x08\x08\x08passed",
    "score 0\rscore 9",
    "nul\0byte"s,
    "\xE2\x80\xAEgnp.exe",
    "\xE2\x81\xA6isolate\xE2\x81\xA9",
    "soft\xC2\xADhyphen\xE2\x80\x8Bzero\xE2\x81\xA0joiner",
    "\xF3\xA0\x81\xA1\xF3\xA0\x81\xA2tags",
    "line\xE2\x80\xA8separator",
    "cut\xE2\x82",
};

// True for bytes that neither steer a terminal nor hide.
bool IsTame(const std::string& text) {
  return Printable(text, Lines::kMany) == text;
}

TEST(PresentableTest, KeepsOurColoursAndNothingElse) {
  EXPECT_EQ(Presentable("\x1b[32mpassed\x1b[0m a\x1b[35mb\x1b[2Jc", true),
            "\x1b[32mpassed\x1b[0m a[35mb[2Jc");
  EXPECT_EQ(Presentable("\x1b[32mpassed\x1b[0m", false), "[32mpassed[0m");
  EXPECT_EQ(Presentable("\x1b\x1b[32m", true), "\x1b[32m");
  for (const std::string& text : kHostile)
    EXPECT_TRUE(IsTame(Presentable(text, false))) << text;
}

TEST(PrintableJsonTest, SaysTheSameWithoutAnythingThatHides) {
  for (const std::string& text : kHostile) {
    const std::string valid = nlohmann::json(text).dump(
        -1, ' ', false, nlohmann::json::error_handler_t::replace);
    const std::string shown = PrintableJson(valid);
    EXPECT_TRUE(IsTame(shown)) << shown;
    EXPECT_EQ(nlohmann::json::parse(shown), nlohmann::json::parse(valid));
  }
  EXPECT_EQ(PrintableJson("{\n \"a\": \"ö\"\n}"), "{\n \"a\": \"ö\"\n}");
}

// A command that forgets to make a name printable prints it all the same.
TEST(ConsoleTest, NothingThatIsPrintedSteersATerminal) {
  for (const Looks looks :
       {Looks{}, Looks{.terminal = true, .color = true, .live = true}}) {
    for (const std::string& text : kHostile) {
      if (looks.color && text.find("\x1b[31m") != std::string::npos) continue;
      std::ostringstream out, err;
      Console console(out, err, looks);
      console.Line(text);
      console.Note(text);
      console.Table({"A", "B"}, {{text, "x"}, {"y", text}});
      console.Fields({{"name", text}});
      v1::Run run;
      run.set_outcome_reason(Printable(text) + "\xE2\x80\xAE\xC2\x9B");
      console.Json(run);
      std::string all = out.str() + err.str();
      for (const std::string own : {"\x1b[2m", "\x1b[0m"})
        for (std::size_t at; (at = all.find(own)) != std::string::npos;)
          all.erase(at, own.size());
      EXPECT_TRUE(IsTame(all)) << all;
    }
  }
}

TEST(ConsoleTest, ARowStaysARow) {
  std::ostringstream out, err;
  Console console(out, err, {});
  console.Table({"FILE", "N"}, {{"a\nb", "1"}});
  EXPECT_EQ(out.str(), "FILE  N\na b   1\n");
}

TEST(ConsoleTest, DocumentsAreKeptForProgramsAndTamedForPeople) {
  std::ostringstream file, screen, err;
  Console(file, err, {}).Document("a\xE2\x80\xAE,b\r");
  EXPECT_EQ(file.str(), "a\xE2\x80\xAE,b\r\n");
  Console(screen, err, {.terminal = true}).Document("a\xE2\x80\xAE,b\r");
  EXPECT_EQ(screen.str(), "a,b\n");
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
