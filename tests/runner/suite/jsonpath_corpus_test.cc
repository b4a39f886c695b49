// Holds the JSONPath engine to the standard's own compliance suite.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runner/suite/jsonpath.h"
#include "tests/testing/corpora.h"

namespace assay::suite {
namespace {

using nlohmann::json;

struct Answer {
  json values = json::array();
  json paths = json::array();
};

// Tests whose order the standard leaves open list every allowed answer.
bool IsOneOf(const json& test, const std::string& one, const std::string& many,
             const json& actual) {
  if (test.contains(one)) return test[one] == actual;
  const json& allowed = test[many];
  return std::find(allowed.begin(), allowed.end(), actual) != allowed.end();
}

std::string Judge(const json& test) {
  const auto path = JsonPath::Parse(test["selector"].get<std::string>());
  if (test.value("invalid_selector", false)) {
    return path ? "accepted an invalid selector" : "";
  }
  if (!path) return path.error().message;
  const auto nodes = path->Select(test["document"]);
  if (!nodes) return nodes.error().message;
  Answer answer;
  for (const PathNode& node : *nodes) {
    answer.values.push_back(*node.value);
    answer.paths.push_back(node.path);
  }
  if (!IsOneOf(test, "result", "results", answer.values)) {
    return "values are " + answer.values.dump();
  }
  if (!IsOneOf(test, "result_paths", "results_paths", answer.paths)) {
    return "paths are " + answer.paths.dump();
  }
  return "";
}

TEST(JsonPathCorpusTest, PassesTheWholeComplianceSuite) {
  const auto file = testing::CorporaRoot() / "jsonpath" / "cts.json";
  ASSAY_NEED_CORPUS(file);
  const json tests = json::parse(testing::ReadFile(file))["tests"];
  int passed = 0;
  for (const json& test : tests) {
    const std::string wrong = Judge(test);
    EXPECT_EQ(wrong, "") << test["name"] << " " << test["selector"];
    passed += wrong.empty() ? 1 : 0;
  }
  EXPECT_EQ(passed, 703);
}

}  // namespace
}  // namespace assay::suite
