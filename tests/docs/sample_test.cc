// The sample that demo, tutorials and end-to-end tests share is right by the
// compiler's own measure.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "runner/suite/compiler.h"
#include "runner/suite/rubric.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path SampleDir() {
  return fs::path(std::getenv("ASSAY_SOURCE_DIR")) / "docs/examples/orders-api";
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

suite::Files SuiteFiles() {
  suite::Files files;
  const fs::path dir = SampleDir() / "suite";
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), dir).generic_string()] =
        ReadFile(entry.path());
  }
  return files;
}

TEST(SampleTest, SuiteCompilesWithoutWarnings) {
  const auto compiled = suite::Compile(SuiteFiles());
  ASSERT_TRUE(compiled) << suite::ToText(compiled.error());
  EXPECT_EQ(suite::ToText(compiled->warnings), "");
}

TEST(SampleTest, TenChecksShareAHundredPointsAndSixAreHidden) {
  const auto compiled = suite::Compile(SuiteFiles());
  ASSERT_TRUE(compiled);
  const auto& checks = compiled->plan.checks();
  EXPECT_EQ(checks.size(), 10);
  EXPECT_EQ(compiled->plan.hidden_check_count(), 6);
  EXPECT_EQ(std::accumulate(
                checks.begin(), checks.end(), 0.0,
                [](double sum, const auto& c) { return sum + c.points(); }),
            100);
}

// The worker of today executes no other verbs; an unknown one would be an
// error of ours in each run of the demo.
TEST(SampleTest, SuiteUsesOnlyStepsThatRun) {
  const auto compiled = suite::Compile(SuiteFiles());
  ASSERT_TRUE(compiled);
  for (const auto& check : compiled->plan.checks()) {
    for (const auto& step : check.steps()) {
      EXPECT_FALSE(step.has_unsupported())
          << check.id() << ": " << step.title();
    }
  }
}

TEST(SampleTest, RubricParses) {
  const auto rubric = suite::ParseRubric(ReadFile(SampleDir() / "rubric.yaml"));
  ASSERT_TRUE(rubric) << suite::ToText(rubric.error());
  EXPECT_EQ(rubric->criteria.size(), 4u);
}

}  // namespace
}  // namespace assay
