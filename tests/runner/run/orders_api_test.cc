// The sample assignment, judged as a candidate's push would be: the sound
// solution gets everything, and each mutation of it loses exactly the check
// that guards it.

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
using testing::ElementsAre;
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
  // The sound solution with a patch applied.
  std::map<std::string, std::string> Mutated(const fs::path& patch) {
    fs::path copy = fs::temp_directory_path() /
                    ("assay-mutation-" + std::to_string(getpid()));
    fs::copy(Sample() / "solutions/sound", copy, fs::copy_options::recursive);
    const Output done = RunProgram({"patch", "-s", "-p1", "-d", copy.string(),
                                    "-i", fs::absolute(patch).string()});
    EXPECT_EQ(done.exit_code, 0) << done.text;
    auto tree = ReadTree(copy);
    fs::remove_all(copy);
    return tree;
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

TEST_F(OrdersApiTest, EachMutationLosesExactlyTheCheckThatGuardsIt) {
  std::istringstream expected(ReadFile(Sample() / "mutations/expected.txt"));
  std::string line;
  int mutations = 0;
  while (std::getline(expected, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string patch;
    std::string check;
    fields >> patch >> check;
    SCOPED_TRACE(patch);
    const Told told = Judge(Mutated(Sample() / "mutations" / patch));
    EXPECT_THAT(NotPassed(told), ElementsAre(check)) << Reasons(told);
    ++mutations;
  }
  EXPECT_EQ(mutations, 10);
}

}  // namespace
}  // namespace assay::tests
