// Mistakes in what stands beside checks: upstreams and `.proto` files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runner/suite/wrong_suites.h"

namespace assay::suite {
namespace {

using ::testing::ElementsAre;

// What an upstream answers is found out before anything runs, too.
TEST(MistakesTest, RoutesOfUpstreamsAreReadAtOnce) {
  EXPECT_THAT(
      Said(WithPart("upstreams:\n"
                    "  pay:\n"
                    "    routes:\n"
                    "      /charge: { status: 201 }\n"
                    "      post /a: { status: 201 }\n"
                    "      GET /b: { status: 99 }\n"
                    "      GET /c: { statsu: 200 }\n"
                    "      GET /d: []\n"
                    "      GET /e: { json: {}, text: a }\n"
                    "      GET /f: [ { delay: 5 }, { status: 204 } ]")),
      ElementsAre(
          "7:7: routes: expected a method and a path, like \"POST /charge\", "
          "found \"/charge\"",
          "8:7: routes: expected a method and a path, like \"POST /charge\", "
          "found \"post /a\"",
          "9:25: status: expected a whole number from 200 to 599, found the "
          "number 99",
          "10:17: unknown key \"statsu\" in a reply; did you mean \"status\"?",
          "11:15: GET /d: expected at least 1 entry, found 0",
          "12:27: found both \"json\" and \"text\"; a reply takes one of json "
          "or text",
          "13:26: delay: expected a duration with its unit (us, ms, s, m, h, "
          "d), like 80ms or 1m30s, found \"5\""));
}

std::vector<std::string> SaidWithProto(const std::string& proto,
                                       const std::string& step) {
  Files files = FilesWith(WithStep(step));
  files["api/shop.proto"] = proto;
  files["api/money.proto"] =
      "syntax = \"proto3\";\npackage shop;\nmessage Money { int64 cents = 1 "
      "}\n";
  const auto compiled = Compile(files);
  std::vector<std::string> said;
  if (compiled) return said;
  for (const Diagnostic& mistake : compiled.error()) {
    said.push_back(mistake.Text());
  }
  return said;
}

TEST(MistakesTest, ProtoFilesAreReadAtOnce) {
  const std::string head = "syntax = \"proto3\";\npackage shop;\n";
  const std::string good = head +
                           "message Ask { string id = 1; }\n"
                           "service Orders { rpc Get(Ask) returns (Ask); }\n";
  const auto step = [](const std::string& method, const std::string& json) {
    return "{ grpc: " + method + ", proto: api/shop.proto, json: " + json +
           ", expect: { status: OK } }";
  };
  EXPECT_THAT(SaidWithProto(good, step("shop.Orders/Get", "{ id: a }")),
              ElementsAre());
  // A template may become anything.
  EXPECT_THAT(
      SaidWithProto(good, step("shop.Orders/Get", "{ id: '{{uuid}}' }")),
      ElementsAre());
  EXPECT_THAT(
      SaidWithProto(good, step("shop.Orders/Gte", "{}")),
      ElementsAre("assay.yaml:8:15: error: grpc: shop.Orders has no method "
                  "\"Gte\"; did you mean \"Get\"?"));
  EXPECT_THAT(
      SaidWithProto(good, step("shop.Order/Get", "{}")),
      ElementsAre("assay.yaml:8:15: error: grpc: api/shop.proto has no service "
                  "\"shop.Order\"; did you mean \"shop.Orders\"?"));
  EXPECT_THAT(SaidWithProto(good, step("shop.Orders/Get", "{ ident: a }")),
              ElementsAre(::testing::StartsWith(
                  "assay.yaml:8:61: error: json: not a shop.Ask: ")));
  EXPECT_THAT(SaidWithProto(head + "message Ask { string id = ; }\n",
                            step("shop.Orders/Get", "{}")),
              ElementsAre("api/shop.proto:3:27: error: expected field number"));
  EXPECT_THAT(SaidWithProto(head + "message Ask { Nowhere id = 1; }\n",
                            step("shop.Orders/Get", "{}")),
              ElementsAre("api/shop.proto:3:15: error: \"Nowhere\" is not "
                          "defined"));
  EXPECT_THAT(
      SaidWithProto(head + "import \"lost.proto\";\n",
                    step("shop.Orders/Get", "{}")),
      ElementsAre("api/shop.proto:3:1: error: import \"lost.proto\" was not "
                  "found or had errors"));
  // The mistake is told where it is made.
  EXPECT_THAT(SaidWithProto(head + "import \"money.proto\";\n",
                            step("shop.Orders/Get", "{}")),
              ElementsAre(::testing::StartsWith("api/money.proto:3:")));
}

TEST(MistakesTest, ProtoFilesAreBounded) {
  for (const std::string level :
       {"message A {", "message A { // }\n", "message A { /* } */",
        "option (a) = { a: '}' b {"}) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += level;
    const auto said = SaidWithProto(
        deep, "{ grpc: a.B/C, proto: api/shop.proto, expect: { status: OK } }");
    ASSERT_FALSE(said.empty());
  }
}

}  // namespace
}  // namespace assay::suite
