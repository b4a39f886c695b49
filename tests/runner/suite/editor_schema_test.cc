// The editor's schema, the validator and the reference page are read off one
// table; this holds them together.

#include "runner/suite/editor_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "runner/suite/compiler.h"
#include "runner/suite/json_schema.h"
#include "runner/suite/language.h"
#include "runner/suite/object_names.h"
#include "runner/suite/yaml_tree.h"
#include "tests/testing/corpora.h"

namespace assay::suite {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

JsonSchema Schema() {
  const auto schema =
      JsonSchema::Load({{"schema.json", EditorSchema().dump()}}, "schema.json");
  EXPECT_TRUE(schema.has_value()) << schema.error().message;
  return *schema;
}

// What an editor would underline.
std::string Complaint(const std::string& yaml) {
  Diagnostics diagnostics;
  const auto tree = ParseYaml("assay.yaml", yaml, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << ToText(diagnostics);
  if (tree == nullptr) return "not YAML";
  const auto violations = Schema().Validate(ToJson(*tree));
  std::string text;
  for (const SchemaViolation& violation : violations) {
    text += violation.pointer + " " + violation.message + "\n";
  }
  return text;
}

constexpr std::string_view kSuite =
    "version: 1\nname: x\nservice: { start: ./run }\nchecks:\n  - { id: a, "
    "title: t, points: 1, visibility: public, steps: [ ";

std::string WithStep(const std::string& step) {
  return std::string(kSuite) + step + " ] }\n";
}

TEST(EditorSchemaTest, AcceptsSuitesThatCompile) {
  for (const char* path : {"tests/runner/suite/testdata/orders-api/assay.yaml",
                           "docs/examples/orders-api/suite/assay.yaml"}) {
    const fs::path file = testing::SourceRoot() / path;
    ASSERT_TRUE(fs::exists(file)) << file;
    EXPECT_EQ(Complaint(testing::ReadFile(file)), "") << path;
  }
  EXPECT_EQ(Complaint(WithStep(
                "{ get: /, expect: { status: [200, 5xx], within: 1m30s, json: "
                "{ $.a: null, $.b: [1], $.c: { len: { gte: 1 } } } } }, { "
                "load: { rate: 1/s, for: 1s, mix: [ { request: { get: / } } ], "
                "expect: { errors: { lte: 0.1% } } } }, { redis: GET x }")),
            "");
}

TEST(EditorSchemaTest, RefusesWhatTheValidatorRefuses) {
  for (const char* step :
       {"{ gett: / }", "{ get: /, exepct: {} }", "{ get: orders }",
        "{ get: /, sql: select 1 }", "{ get: /, redirects: 21 }",
        "{ get: /, expect: { within: 30 } }", "{ get: /, cookies: yes }",
        "{ get: /, expect: { status: { starts: 2 } } }",
        "{ get: /, expect: { json: { a: 1 } } }",
        "{ get: /, expect: { json: { $.a: { xyz: 1 } } } }", "{ wait: 5 }",
        "{ fault: { target: x } }", "{ use: 1x }",
        "{ load: { rate: 1, for: 1s, request: { get: / } } }",
        "{ burst: { times: 1, request: { sql: x } } }"}) {
    const std::string suite = WithStep(step);
    EXPECT_FALSE(Compile({{"assay.yaml", suite}}).has_value()) << step;
    EXPECT_NE(Complaint(suite), "") << step;
  }
}

TEST(EditorSchemaTest, EveryObjectHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const Object* object : AllObjects()) {
    EXPECT_TRUE(names.insert(ObjectName(*object)).second) << object->title;
  }
}

// Pointers to mistakes and pages for people are only as good as the sentences
// in the table.
TEST(EditorSchemaTest, EveryKeyIsExplained) {
  for (const Object* object : AllObjects()) {
    EXPECT_THAT(object->doc, ::testing::EndsWith(".")) << object->title;
    for (const Key& key : object->keys) {
      EXPECT_THAT(key.doc, ::testing::EndsWith("."))
          << key.name << " in " << object->title;
    }
  }
}

TEST(ReferencePageTest, IsCurrent) {
  const fs::path page =
      testing::SourceRoot() / "docs" / "reference" / "suite.md";
  if (std::getenv("ASSAY_UPDATE_GOLDEN") != nullptr) {
    fs::create_directories(page.parent_path());
    std::ofstream(page) << ReferencePage();
  }
  EXPECT_EQ(testing::ReadFile(page), ReferencePage())
      << "run with ASSAY_UPDATE_GOLDEN=1 after a change of the language";
}

TEST(ReferencePageTest, ExamplesInItCompile) {
  for (const Object* object : AllObjects()) {
    if (!object->example.starts_with("- ")) continue;
    std::string indented;
    for (const char c : "      " + object->example) {
      indented += c;
      if (c == '\n') indented += "      ";
    }
    const std::string suite =
        "version: 1\nname: x\nservice: { start: ./run }\n"
        "sidecars: { db: { kind: postgres }, r: { kind: redis } }\n"
        "secrets: { jwt: { generate: hex32 } }\n"
        "vars: { token: t, order_id: o, user: u }\n"
        "flows: { login: [ { get: / } ] }\n"
        "checks:\n  - id: a\n    title: t\n    points: 0\n    visibility: "
        "public\n    steps:\n" +
        indented + "\n";
    const auto compiled = Compile({{"assay.yaml", suite}});
    EXPECT_TRUE(compiled.has_value()) << suite << ToText(compiled.error());
  }
}

}  // namespace
}  // namespace assay::suite
