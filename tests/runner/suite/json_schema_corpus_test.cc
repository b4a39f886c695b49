// Holds JSON Schema validation to the test suite that its authors publish.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "runner/suite/json_schema.h"
#include "tests/testing/corpora.h"

namespace assay::suite {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What draft 7 requires and this validator does not do, by the suite's names:
// the draft's own meta-schema is not part of the program, and a suite refers to
// its own files only.
const std::set<std::string> kKnownDifferences = {
    "definitions.json: validate definition against metaschema: valid "
    "definition "
    "schema",
    "definitions.json: validate definition against metaschema: invalid "
    "definition schema",
    "ref.json: remote ref, containing refs itself: remote ref valid",
    "ref.json: remote ref, containing refs itself: remote ref invalid",
};

JsonSchema::Files Remotes(const fs::path& root) {
  JsonSchema::Files files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = fs::relative(entry.path(), root).string();
    if (path.starts_with("draft") && !path.starts_with("draft7/")) continue;
    files["http://localhost:1234/" + path] = testing::ReadFile(entry.path());
  }
  return files;
}

struct Tally {
  int total = 0;
  int passed = 0;
  std::vector<std::string> failed;
};

void RunFile(const fs::path& file, JsonSchema::Files files, Tally& tally) {
  for (const json& group : json::parse(testing::ReadFile(file))) {
    files["schema.json"] = group["schema"].dump();
    const auto schema = JsonSchema::Load(files, "schema.json");
    for (const json& test : group["tests"]) {
      ++tally.total;
      const bool valid =
          schema.has_value() && schema->Validate(test["data"]).empty();
      if (schema.has_value() && valid == test["valid"].get<bool>()) {
        ++tally.passed;
        continue;
      }
      tally.failed.push_back(file.filename().string() + ": " +
                             group["description"].get<std::string>() + ": " +
                             test["description"].get<std::string>());
    }
  }
}

TEST(JsonSchemaCorpusTest, PassesDraft7ButForWhatIsListed) {
  const fs::path root = testing::CorporaRoot() / "json-schema";
  ASSAY_NEED_CORPUS(root / "tests" / "draft7");
  const JsonSchema::Files remotes = Remotes(root / "remotes");
  Tally tally;
  for (const auto& entry : fs::directory_iterator(root / "tests" / "draft7")) {
    if (entry.path().extension() == ".json") {
      RunFile(entry.path(), remotes, tally);
    }
  }
  EXPECT_EQ(tally.total, 927);
  EXPECT_GE(tally.passed, 900);
  EXPECT_THAT(tally.failed,
              ::testing::UnorderedElementsAreArray(kKnownDifferences));
  std::cout << "draft 7: " << tally.passed << " of " << tally.total << "\n";
}

// Counted, not promised: 2020-12 is another dialect.
TEST(JsonSchemaCorpusTest, CountsDraft202012) {
  const fs::path root = testing::CorporaRoot() / "json-schema";
  ASSAY_NEED_CORPUS(root / "tests" / "draft2020-12");
  Tally tally;
  for (const auto& entry :
       fs::directory_iterator(root / "tests" / "draft2020-12")) {
    if (entry.path().extension() == ".json") RunFile(entry.path(), {}, tally);
  }
  std::cout << "draft 2020-12: " << tally.passed << " of " << tally.total
            << "\n";
  EXPECT_GT(tally.passed, tally.total / 2);
}

}  // namespace
}  // namespace assay::suite
