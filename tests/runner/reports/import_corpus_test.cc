// Holds the importers to reports of real frameworks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runner/reports/import.h"
#include "tests/testing/corpora.h"

namespace assay::reports {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST(JunitCorpusTest, EverySamplesTotalsAreRead) {
  const fs::path corpus = testing::CorporaRoot() / "junit";
  ASSAY_NEED_CORPUS(corpus);
  int read = 0;
  for (const auto& entry : fs::directory_iterator(corpus)) {
    if (entry.path().extension() != ".xml") continue;
    const std::string stem = entry.path().stem().string();
    const auto imported = ImportJunit(testing::ReadFile(entry.path()));
    if (fs::exists(corpus / (stem + ".exception"))) {
      EXPECT_FALSE(imported.has_value()) << stem;
      continue;
    }
    ASSERT_TRUE(imported.has_value()) << stem << imported.error();
    const json stats = json::parse(
        testing::ReadFile(corpus / (stem + ".results.json")))["stats"];
    const json counted = {{"tests", imported->total},
                          {"tests_succ", imported->passed},
                          {"tests_skip", imported->skipped},
                          {"tests_fail", imported->failed},
                          {"tests_error", imported->errored}};
    for (const auto& [name, value] : counted.items()) {
      EXPECT_EQ(value, stats[name]) << stem << " " << name;
    }
    ++read;
  }
  EXPECT_EQ(read, 16);
  EXPECT_FALSE(ImportJunit("").has_value());
}

// The expected totals are what npm's tap-parser 18.3.4 says of the fixtures.
TEST(TapCorpusTest, TotalsAreThoseOfTheReferenceParser) {
  const fs::path corpus = testing::CorporaRoot() / "tap";
  ASSAY_NEED_CORPUS(corpus);
  const json expected = json::parse(testing::ReadFile(
      testing::SourceRoot() / "tests/runner/reports/tap_totals.json"));
  EXPECT_EQ(expected.size(), 80u);
  for (const auto& [name, totals] : expected.items()) {
    ASSERT_TRUE(fs::exists(corpus / name)) << name;
    const TapTotals read = ReadTap(testing::ReadFile(corpus / name)).totals;
    const json actual = {{"ok", read.ok},
                         {"total", read.total},
                         {"pass", read.pass},
                         {"fail", read.fail},
                         {"skip", read.skip},
                         {"todo", read.todo},
                         {"bailout", read.bailed_out}};
    EXPECT_EQ(actual, totals) << name;
  }
}

}  // namespace
}  // namespace assay::reports
