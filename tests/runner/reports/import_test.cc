#include "runner/reports/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "name: outcome message", so that tests read.
std::vector<std::string> Cases(const Imported& imported) {
  static const char* const kWords[] = {"passed", "skipped", "failed",
                                       "errored"};
  std::vector<std::string> cases;
  for (const ImportedCase& one : imported.cases) {
    std::string text = one.name + ": " + kWords[static_cast<int>(one.outcome)];
    if (!one.message.empty()) {
      text += " " + one.message.substr(0, one.message.find('\n'));
    }
    cases.push_back(text);
  }
  return cases;
}

TEST(ImportJunitTest, TakesTheWorstOfRepeatedCases) {
  const auto imported = ImportJunit(
      "<testsuite><testcase classname='A' name='x'/>"
      "<testcase classname='A' name='x'><failure message='no'>trace</failure>"
      "</testcase><testcase name='y'><skipped message='later'/></testcase>"
      "<testcase><error type='Boom'/></testcase></testsuite>");
  ASSERT_TRUE(imported.has_value());
  EXPECT_THAT(Cases(*imported),
              ElementsAre("A.x: failed no", "y: skipped later",
                          "case 3: errored Boom"));
  EXPECT_FALSE(imported->ok());
}

TEST(ImportJunitTest, ReadsNoEntitiesAndBoundsWhatItKeeps) {
  const auto imported = ImportJunit(
      "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY b "
      "'aaaa'>]><testsuite><testcase name='&x;&b;'><failure>" +
      std::string(100'000, 'f') + "</failure></testcase></testsuite>");
  ASSERT_TRUE(imported.has_value());
  EXPECT_EQ(imported->cases[0].name, "&x;&b;");
  EXPECT_LE(imported->cases[0].message.size(), kMaxMessage);
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "<testsuite>";
  EXPECT_FALSE(ImportJunit(deep).has_value());
  std::string nested = "<testsuites>";
  for (int i = 0; i < 200; ++i) nested += "<testsuite>";
  for (int i = 0; i < 200; ++i) nested += "</testsuite>";
  EXPECT_EQ(ImportJunit(nested + "</testsuites>")->problem,
            "test suites nest too deeply");
}

TEST(ImportTapTest, LeavesOfSubtestsAreCases) {
  const auto imported = ImportTap(
      "TAP version 14\n"
      "# Subtest: orders\n"
      "    ok 1 - creates\n"
      "    not ok 2 - lists\n"
      "      ---\n"
      "      message: wrong order\n"
      "      ...\n"
      "    1..2\n"
      "not ok 1 - orders\n"
      "ok 2 - pings # SKIP no network\n"
      "not ok 3 - later # TODO\n"
      "1..3\n");
  ASSERT_TRUE(imported.has_value());
  EXPECT_THAT(Cases(*imported),
              ElementsAre("orders > creates: passed",
                          "orders > lists: failed message: wrong order",
                          "pings: skipped no network", "later: skipped"));
  EXPECT_EQ(imported->failed, 1);
}

TEST(ImportTapTest, SaysWhatIsWrongWithTheStream) {
  EXPECT_EQ(ImportTap("ok\nok\n")->problem, "no plan");
  EXPECT_EQ(ImportTap("1..3\nok\nok\n")->problem, "planned 3 tests, ran 2");
  EXPECT_EQ(ImportTap("1..1\nok\nBail out! disk full\n")->problem,
            "bail out: disk full");
  EXPECT_EQ(ImportTap("hello\n")->total, 0);
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep +=
        std::string(static_cast<std::size_t>(i) * 4, ' ') + "# Subtest: x\n";
  }
  EXPECT_FALSE(ImportTap(deep)->ok());
}

TEST(ImportCtrfTest, ReadsCasesOrSaysWhatIsMissing) {
  const auto imported = ImportCtrf(
      R"({"results":{"tool":{"name":"x"},"tests":[
          {"name":"a","status":"passed","duration":1500},
          {"name":"b","suite":["s","t"],"status":"failed","message":"no"},
          {"name":"c","status":"pending","duration":0},
          {"name":"d","status":"other"}]}})");
  ASSERT_TRUE(imported.has_value());
  EXPECT_THAT(Cases(*imported),
              ElementsAre("a: passed", "s > t > b: failed no", "c: skipped",
                          "d: errored status \"other\""));
  EXPECT_DOUBLE_EQ(imported->cases[0].seconds, 1.5);
  EXPECT_THAT(ImportCtrf("{}").error().message, HasSubstr("\"results\""));
  EXPECT_FALSE(ImportCtrf(R"({"results":{"tests":[1]}})").has_value());
  EXPECT_FALSE(ImportCtrf(std::string(100'000, '[')).has_value());
}

TEST(ImportGoTestTest, LeavesAreCasesAndBrokenPackagesAreErrors) {
  const auto imported = ImportGoTest(
      R"({"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/x"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"=== RUN\n"}
{"Action":"output","Package":"p","Test":"TestA/x","Output":"a_test.go:5: no\n"}
{"Action":"fail","Package":"p","Test":"TestA/x","Elapsed":0.5}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0.5}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"run","Package":"p","Test":"TestC"}
# q [build failed]
{"Action":"fail","Package":"p"}
{"Action":"output","Package":"q","Output":"FAIL q [build failed]\n"}
{"Action":"fail","Package":"q"}
)");
  ASSERT_TRUE(imported.has_value());
  EXPECT_THAT(Cases(*imported),
              ElementsAre("p.TestA/x: failed a_test.go:5: no",
                          "p.TestB: skipped", "p.TestC: errored did not end",
                          "q: errored FAIL q [build failed]"));
  EXPECT_FALSE(ImportGoTest("ok  p 0.1s\n").has_value());
}

TEST(ImportTest, SeveralFilesAreOneReport) {
  const auto imported = Import(
      "junit", {{"a.xml", "<testsuite><testcase name='a'/></testsuite>"},
                {"b.xml", "<testsuite><testcase name='a'/></testsuite>"}});
  ASSERT_TRUE(imported.has_value());
  EXPECT_EQ(imported->total, 2);
  EXPECT_TRUE(imported->ok());
  EXPECT_THAT(Import("junit", {{"a.xml", "<no/>"}}).error().message,
              HasSubstr("a.xml: not JUnit XML: the root is <no>"));
  EXPECT_FALSE(Import("nunit", {{"a", ""}}).has_value());
  EXPECT_THAT(Import("tap", {})->cases, IsEmpty());
}

}  // namespace
}  // namespace assay::reports
