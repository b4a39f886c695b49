// Units, YAML's scalars, rubrics, and hints.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/suite/json_text.h"
#include "runner/suite/nearest.h"
#include "runner/suite/rubric.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"
#include "runner/suite/yaml_tree.h"

namespace assay::suite {
namespace {

using std::chrono::microseconds;

TEST(UnitsTest, ReadDurations) {
  EXPECT_EQ(*ParseDuration("80ms"), microseconds(80'000));
  EXPECT_EQ(*ParseDuration("1m30s"), std::chrono::seconds(90));
  EXPECT_EQ(*ParseDuration("0.5s"), microseconds(500'000));
  EXPECT_EQ(*ParseDuration("0s"), microseconds(0));
  for (const char* bad :
       {"", "5", "s", "5 s", "-1s", "1.s.", "1e3s", "5S", "400d", "1..5s"}) {
    EXPECT_FALSE(ParseDuration(bad).has_value()) << bad;
  }
}

TEST(UnitsTest, ReadSizesRatesAndShares) {
  EXPECT_EQ(*ParseSize("64MiB"), 64 << 20);
  EXPECT_EQ(*ParseSize("1.5kB"), 1500);
  EXPECT_FALSE(ParseSize("64mb").has_value());
  EXPECT_FALSE(ParseSize("99999999999GiB").has_value());
  EXPECT_EQ(*ParseBandwidth("64KiB/s"), 65536);
  EXPECT_FALSE(ParseBandwidth("0B/s").has_value());
  EXPECT_DOUBLE_EQ(*ParseRate("30/m"), 0.5);
  EXPECT_FALSE(ParseRate("30").has_value());
  EXPECT_DOUBLE_EQ(*ParsePercentage("0.1%"), 0.001);
  EXPECT_FALSE(ParsePercentage("0.1").has_value());
}

TEST(UnitsTest, WriteDurations) {
  EXPECT_EQ(DurationText(microseconds(412'345)), "412ms");
  EXPECT_EQ(DurationText(microseconds(999)), "999us");
  EXPECT_EQ(DurationText(microseconds(1'500'000)), "1.5s");
  EXPECT_EQ(DurationText(std::chrono::minutes(10)), "10m");
}

nlohmann::json Yaml(const std::string& text) {
  Diagnostics diagnostics;
  const auto node = ParseYaml("a.yaml", text, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << ToText(diagnostics);
  return node == nullptr ? nlohmann::json() : ToJson(*node);
}

TEST(YamlScalarTest, PlainScalarsAreWhatYaml12SaysTheyAre) {
  EXPECT_EQ(Yaml("[1, -2, 0.5, 1e3, true, null, ~, no, yes, on, 1:30, 2001-01-"
                 "01, 1_000, '5', \"true\"]"),
            nlohmann::json::parse(
                R"([1,-2,0.5,1000.0,true,null,null,"no","yes","on","1:30",
                    "2001-01-01","1_000","5","true"])"));
  EXPECT_EQ(Yaml("18446744073709551615"), 18446744073709551615u);
}

TEST(YamlScalarTest, WarnsOfScalarsThatReadersDisagreeAbout) {
  const auto check = [](const std::string& text) {
    Diagnostics diagnostics;
    return CheckJsonScalar(*ParseYaml("a", text, diagnostics));
  };
  EXPECT_EQ(check("5"), "");
  EXPECT_EQ(check("'007'"), "");
  for (const char* odd :
       {"007", "0x1F", "0o17", ".inf", "1e999", "99999999999999999999"}) {
    EXPECT_NE(check(odd), "") << odd;
  }
}

TEST(NearestTest, FindsWhatWasMeantAndNothingElse) {
  const std::vector<std::string> keys = {"expect", "headers", "json",
                                         "at_once"};
  EXPECT_EQ(Nearest("exepct", keys), "expect");
  EXPECT_EQ(Nearest("header", keys), "headers");
  EXPECT_EQ(Nearest("atOnce", keys), "at_once");
  EXPECT_EQ(Nearest("banana", keys), "");
}

TEST(JsonTextTest, BoundsWhatItParsesAndPrints) {
  EXPECT_EQ(ParseJson("{\"a\":\n x}").error().message,
            "not JSON at line 2, column 2: \"x}\"");
  EXPECT_FALSE(ParseJson(std::string(1000, '[')).has_value());
  EXPECT_TRUE(ParseJson("\"" + std::string(1000, '[') + "\"").has_value());
  EXPECT_EQ(JsonText({{"a", {1, 2}}}), R"({"a":[1,2]})");
  EXPECT_EQ(JsonText(std::string(1000, 'x'), 20), "\"xxxxxxxxxxxxxxxx...");
  EXPECT_LE(JsonText(nlohmann::json(std::vector<int>(10'000, 1))).size(), 120u);
  EXPECT_EQ(JsonText("\xff"), "\"\xEF\xBF\xBD\"");
}

TEST(Utf8Test, RefusesWhatIsNotWellFormed) {
  EXPECT_EQ(ValidUtf8Prefix("aé\xF0\x9F\x98\x80"), 7u);
  EXPECT_EQ(ValidUtf8Prefix("a\xC0\x80"), 1u);
  EXPECT_EQ(ValidUtf8Prefix("\xED\xA0\x80"), 0u);
  EXPECT_EQ(ValidUtf8Prefix("\xF4\x90\x80\x80"), 0u);
  EXPECT_EQ(Shorten("ééééé", 8), "éé...");
}

TEST(RubricTest, TakesAnchorsAsAListOrByNumber) {
  const auto rubric = ParseRubric(
      "criteria:\n"
      "  - { id: a, title: A, weight: 2, anchors: [w, x, y1, z] }\n"
      "  - { id: b, title: B, anchors: { 1: w, 2: x, 3: y1, 4: z }, "
      "needs_note: true }\n");
  ASSERT_TRUE(rubric.has_value()) << ToText(rubric.error());
  EXPECT_EQ(rubric->criteria[0].weight, 2);
  EXPECT_EQ(rubric->criteria[1].anchors[3], "z");
  EXPECT_TRUE(rubric->criteria[1].needs_note);
}

TEST(RubricTest, SaysWhatIsWrong) {
  const auto rubric = ParseRubric(
      "criteria:\n"
      "  - { id: a, title: A, anchors: { 1: w } }\n"
      "  - { id: a, title: A, anchors: [w, x, y1, z] }\n");
  ASSERT_FALSE(rubric.has_value());
  EXPECT_EQ(ToText(rubric.error()),
            "rubric.yaml:2:33: error: anchors: there is no sentence for 2\n"
            "rubric.yaml:3:5: error: the id \"a\" is taken by the criterion in "
            "line 2\n");
  EXPECT_FALSE(ParseRubric("criteria: []\n").has_value());
}

}  // namespace
}  // namespace assay::suite
