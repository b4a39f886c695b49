// The sample assignment, judged as a candidate's push would be. What its broken
// variants lose is for `assay suite verify` (tests/docs).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/runner/run/run_fixture.h"
#include "tests/testing/postgres_server.h"

namespace assay::tests {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

fs::path Sample() {
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  return fs::path(source ? source : ".") / "docs/examples/orders-api";
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::map<std::string, std::string> ReadTree(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), root).string()] = ReadFile(entry.path());
  }
  return files;
}

class OrdersApiTest : public RunFixture {
 protected:
  Told Judge(const std::map<std::string, std::string>& tree) {
    return Run(ReadTree(Sample() / "suite"), tree);
  }
  static std::vector<std::string> NotPassed(const Told& told) {
    std::vector<std::string> ids;
    for (const auto& event : told.events) {
      const auto& result = event.check_finished().result();
      if (event.has_check_finished() &&
          result.verdict() != v1::VERDICT_PASSED) {
        ids.push_back(result.check_id());
      }
    }
    return ids;
  }
  static std::string Reasons(const Told& told) {
    std::string reasons = told.finished().reason();
    for (const auto& event : told.events) {
      const auto& result = event.check_finished().result();
      if (!result.reason().empty()) {
        reasons += "\n" + result.check_id() + ": " + result.reason();
      }
    }
    return reasons;
  }
};

TEST_F(OrdersApiTest, TheSoundSolutionGetsEverything) {
  const Told told = Judge(ReadTree(Sample() / "solutions/sound"));
  EXPECT_EQ(told.finished().outcome(), v1::Run::OUTCOME_COMPLETED);
  EXPECT_THAT(NotPassed(told), IsEmpty()) << Reasons(told);
}

TEST_F(OrdersApiTest, TheTemplateGetsNothing) {
  const Told told = Judge(ReadTree(Sample() / "template"));
  double earned = 0;
  for (const auto& event : told.events) {
    earned += event.check_finished().result().earned();
  }
  EXPECT_EQ(earned, 0) << Reasons(told);
}

// The suite that the language was designed by, as it is: the sound solution
// with the names and the Makefile that it asks for.
TEST_F(OrdersApiTest, TheDesignsOwnSuiteGradesEndToEnd) {
  auto tree = ReadTree(Sample() / "solutions/sound");
  tree["Makefile"] =
      "build:\n\t./build.sh\n"
      "test-junit:\n\tmkdir -p build/test-results\n"
      "\tpython3 report.py > build/test-results/all.xml\n";
  tree["report.py"] =
      "print('<testsuite name=\"own\" tests=\"5\">' + ''.join("
      "f'<testcase name=\"t{i}\"/>' for i in range(5)) + '</testsuite>')\n";
  tree["run.sh"] =
      "#!/bin/sh\nTOKEN_SECRET=\"$JWT_SECRET\" exec python3 app.py\n";
  auto& app = tree["app.py"];
  const std::string wrapped = "{\"orders\": orders.list_of(self.customer())}";
  const auto at = app.find(wrapped);
  ASSERT_NE(at, std::string::npos);
  app.replace(at, wrapped.size(), "orders.list_of(self.customer())");

  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  const Told told = Run(ReadTree(fs::path(source ? source : ".") /
                                 "tests/runner/suite/testdata/orders-api"),
                        tree);
  EXPECT_EQ(told.finished().outcome(), v1::Run::OUTCOME_COMPLETED);
  std::vector<std::string> missed = NotPassed(told);
  // Its limits are for a machine that does nothing else; a busy one says that
  // it measured nothing, and never that the service failed.
  if (told.Check("read-latency").verdict() == v1::VERDICT_INCONCLUSIVE) {
    std::erase(missed, "read-latency");
  }
  EXPECT_THAT(missed, IsEmpty()) << Reasons(told);
  const auto own = told.Check("own-tests");
  ASSERT_GT(own.steps_size(), 0);
  EXPECT_EQ(own.steps(0).cases_size(), 5);
}

}  // namespace
}  // namespace assay::tests
