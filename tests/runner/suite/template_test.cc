#include "runner/suite/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

namespace assay::suite {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

class TemplateTest : public ::testing::Test {
 protected:
  TemplateTest() {
    scope_.Set("token", "abc");
    scope_.Set("five", 5);
    scope_.Set("user", {{"name", "Ann"}, {"tags", {"x", "y"}}});
    scope_.SetMember("sidecars", "db", {{"url", "postgresql://x"}});
    scope_.SetMember("sidecars", "cache", {{"url", "redis://x"}});
    scope_.AddGenerators(7);
  }

  std::string Text(std::string_view text) {
    const auto expanded = ExpandText(text, scope_);
    return expanded ? *expanded : expanded.error().message;
  }

  Scope scope_;
};

TEST_F(TemplateTest, ReplacesReferencesInTexts) {
  EXPECT_EQ(Text("plain"), "plain");
  EXPECT_EQ(Text("Bearer {{token}}"), "Bearer abc");
  EXPECT_EQ(Text("/{{ five }}/{{user.tags.1}}/{{sidecars.db.url}}"),
            "/5/y/postgresql://x");
  EXPECT_EQ(Text("{{user.tags}}"), R"(["x","y"])");
  EXPECT_EQ(Text("{{\"{{\"}}name}}"), "{{name}}");
}

TEST_F(TemplateTest, ExpandsOnceSoThatValuesCannotInject) {
  scope_.Set("evil", "{{token}}");
  EXPECT_EQ(Text("{{evil}}"), "{{token}}");
}

TEST_F(TemplateTest, WholeTemplatesKeepTheirType) {
  const json value = *ExpandJsonText(
      R"({"a":"{{five}}","b":"{{five}}x","c":["{{user}}"],"{{token}}":null})",
      scope_);
  EXPECT_EQ(value["a"], 5);
  EXPECT_EQ(value["b"], "5x");
  EXPECT_EQ(value["c"][0]["name"], "Ann");
  EXPECT_TRUE(value["abc"].is_null());
}

TEST_F(TemplateTest, NamesWhatIsMissingAndWhatIsNear) {
  EXPECT_EQ(Text("{{tokn}}"),
            "there is no value {{tokn}}; did you mean \"token\"?");
  EXPECT_EQ(Text("{{sidecars.dbb.url}}"),
            "there is no value {{sidecars.dbb.url}}; did you mean "
            "\"sidecars.db\"?");
  EXPECT_EQ(Text("{{user.tags.9}}"), "there is no value {{user.tags.9}}");
  EXPECT_EQ(Text("{{token.x}}"), "there is no value {{token.x}}");
  EXPECT_EQ(Text("{{a"),
            "found {{ without }} in \"{{a\"; write {{\"{{\"}} for two braces");
}

TEST_F(TemplateTest, GeneratorsGiveNewValuesThatRepeatWithTheSeed) {
  const std::string first = Text("{{uuid}}");
  EXPECT_TRUE(
      RE2::FullMatch(first,
                     "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                     "[0-9a-f]{12}"))
      << first;
  EXPECT_NE(Text("{{uuid}}"), first);
  Scope again;
  again.AddGenerators(7);
  EXPECT_EQ(*ExpandText("{{uuid}}", again), first);
  Scope other;
  other.AddGenerators(8);
  EXPECT_NE(*ExpandText("{{uuid}}", other), first);
  EXPECT_TRUE(RE2::FullMatch(Text("{{hex16}} {{now}}"),
                             "[0-9a-f]{16} 20..-..-..T..:..:..Z"));
}

TEST_F(TemplateTest, ListsReferencesInOrder) {
  EXPECT_THAT(*TemplateReferences("{{b}} {{\"{{\"}} {{a.c}}"),
              ElementsAre("b", "a.c"));
  EXPECT_FALSE(TemplateReferences("{{a..b}}").has_value());
  EXPECT_FALSE(TemplateReferences("{{}}").has_value());
}

}  // namespace
}  // namespace assay::suite
