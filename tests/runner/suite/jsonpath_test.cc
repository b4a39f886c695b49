#include "runner/suite/jsonpath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay::suite {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string Refusal(std::string_view text) {
  const auto path = JsonPath::Parse(text);
  return path ? "accepted" : path.error().message;
}

TEST(JsonPathTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Refusal("$.lines[0"),
            "expected ] or a comma after the selector, at character 10 of "
            "$.lines[0");
  EXPECT_THAT(Refusal("id"), HasSubstr("starts with $, at character 1"));
  EXPECT_THAT(Refusal("$[?@.a == $.b.*]"),
              HasSubstr("several nodes has no single value, at character 11"));
  EXPECT_THAT(Refusal("$[?length(@.a)]"), HasSubstr("compare it"));
  EXPECT_THAT(Refusal("$[?lenght(@.a) > 1]"),
              HasSubstr("unknown function lenght()"));
  EXPECT_THAT(Refusal("$.é["), HasSubstr("at character 5"));
}

TEST(JsonPathTest, KnowsWhichQueriesYieldAtMostOneNode) {
  for (const char* text : {"$", "$.a", "$['a'][0].b[-1]"}) {
    EXPECT_TRUE(JsonPath::Parse(text)->singular()) << text;
  }
  for (const char* text : {"$[*]", "$..a", "$[0,1]", "$[0:1]", "$[?@.a]"}) {
    EXPECT_FALSE(JsonPath::Parse(text)->singular()) << text;
  }
}

TEST(JsonPathTest, NormalisedPathsEscapeWhatTheyMust) {
  const json document = {{"it's\n\\", {1, 2}}};
  const auto nodes = JsonPath::Parse("$.*[1]")->Select(document);
  ASSERT_TRUE(nodes.has_value());
  ASSERT_EQ(nodes->size(), 1u);
  EXPECT_EQ((*nodes)[0].path, R"($['it\'s\n\\'][1])");
  EXPECT_EQ(*(*nodes)[0].value, 2);
}

TEST(JsonPathTest, RefusesToVisitWithoutEnd) {
  json document = json::array();
  for (int i = 0; i < 300; ++i) document.push_back(json::array({i}));
  const auto nodes = JsonPath::Parse("$[?count($..[?@ == 1]) > 0]")
                         ->Select(json::array({document, document, document}));
  EXPECT_TRUE(nodes.has_value());
  std::string text = "$";
  for (int i = 0; i < 40; ++i) text += "[*,*,*]";
  json deep = 1;
  for (int i = 0; i < 41; ++i) deep = json::array({deep});
  const auto many = JsonPath::Parse(text)->Select(deep);
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().code, Code::kResourceExhausted);
}

TEST(JsonPathTest, RefusesDeepNestingOfQueriesAndDocuments) {
  std::string text = "$";
  for (int i = 0; i < 100; ++i) text += "[?@";
  EXPECT_THAT(Refusal(text), HasSubstr("nested too deeply"));
  json deep = 1;
  for (int i = 0; i < 5000; ++i) deep = json::array({std::move(deep)});
  EXPECT_EQ(JsonPath::Parse("$..a")->Select(deep).error().code,
            Code::kResourceExhausted);
  EXPECT_THAT(Refusal(std::string(5000, '$')), HasSubstr("more than 4096"));
}

}  // namespace
}  // namespace assay::suite
