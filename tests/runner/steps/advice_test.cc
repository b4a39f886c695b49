#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/steps/calibration.h"
#include "runner/steps/crash_step.h"
#include "runner/steps/scan_advice.h"

namespace assay::steps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(FindScansTest, ScansAreFoundAtAnyDepthAndEachTableOnce) {
  const auto scans = FindScans(R"json([{"Plan": {"Node Type": "Hash Join",
    "Plans": [
      {"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "orders",
       "Filter": "(customer = 7)"},
      {"Node Type": "Hash", "Plans": [
        {"Node Type": "Index Scan", "Relation Name": "lines"},
        {"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "orders"},
        {"Node Type": "Seq Scan", "Schema": "other", "Relation Name": "orders"}
      ]}]}}])json");
  std::vector<std::string> found;
  for (const auto& scan : scans) {
    found.push_back(scan.schema + "." + scan.table + " " + scan.filter);
  }
  EXPECT_THAT(found,
              ElementsAre("public.orders (customer = 7)", "other.orders "));
}

TEST(FindScansTest, WhatIsNoPlanHasNone) {
  for (const char* text : {"", "[", "{}", "[1]", R"([{"Plan": 3}])",
                           R"([{"Plan": {"Plans": "x"}}])"}) {
    EXPECT_THAT(FindScans(text), IsEmpty()) << text;
  }
}

TEST(FindScansTest, APlanWithoutEndIsRead) {
  std::string text = "[{\"Plan\": ";
  for (int i = 0; i < 1000; ++i) text += "{\"Plans\": [";
  text += "1";
  for (int i = 0; i < 1000; ++i) text += "]}";
  EXPECT_THAT(FindScans(text + "}]"), IsEmpty());
}

TEST(SlownessTest, IsTheRatioOfTheReferencesFigures) {
  EXPECT_EQ(SlownessFrom(6, 3).slowness, 2);
  EXPECT_EQ(SlownessFrom(1.5, 3).slowness, 0.5);
  EXPECT_EQ(SlownessFrom(6, 3).problem, "");
}

TEST(SlownessTest, AMachineThatIsNoMeasureIsNamed) {
  EXPECT_THAT(SlownessFrom(31, 3).problem, HasSubstr("31.00 ms here"));
  EXPECT_EQ(SlownessFrom(0.0001, 3).slowness, kLeastSlowness);
}

TEST(CompareHistoryTest, WhatWasAcknowledgedIsThereOnce) {
  EXPECT_EQ(CompareHistory({"1", "2"}, {"2", "3", "1"}), "");
  EXPECT_EQ(CompareHistory({}, {}), "");
  EXPECT_THAT(CompareHistory({"1", "2", "7"}, {"2"}),
              HasSubstr("2 of 3 acknowledged writes are lost: 1, 7"));
  EXPECT_THAT(CompareHistory({"1"}, {"1", "2", "2"}),
              HasSubstr("there more than once: 2"));
  EXPECT_THAT(CompareHistory({"1", "1"}, {"1"}),
              HasSubstr("acknowledged more than once: 1"));
}

}  // namespace
}  // namespace assay::steps
