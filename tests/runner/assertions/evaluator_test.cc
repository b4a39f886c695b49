#include "runner/assertions/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/suite/compiler.h"

namespace assay::assertions {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kStart = R"(
version: 1
name: x
service: { start: ./run }
sidecars: { db: { kind: postgres } }
vars: { alice: alice@example.test, five: 5 }
checks:
  - id: a
    title: t
    points: 1
    visibility: public
    steps:
      - )";

// Expectations are compiled from the language, so that what authors write is
// what is judged.
class EvaluatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scope_.Set("alice", "alice@example.test");
    scope_.Set("five", 5);
  }

  plan::v1::Step Step(const std::string& text) {
    suite::Files files = {{"assay.yaml", std::string(kStart) + text}};
    files["order.json"] =
        R"({"type":"object","required":["id"],
            "properties":{"lines":{"items":{"minimum":1}}}})";
    auto compiled = suite::Compile(files);
    if (!compiled) {
      ADD_FAILURE() << suite::ToText(compiled.error());
      return {};
    }
    plan_ = compiled->plan;
    return plan_.checks(0).steps(0);
  }

  std::vector<std::string> Http(const std::string& expect,
                                const HttpAnswer& answer) {
    const plan::v1::Step step = Step("{ get: /, expect: " + expect + " }");
    Schemas schemas(plan_);
    std::vector<std::string> sentences;
    for (Failure& failure :
         Evaluator(scope_, schemas).Http(step.http().expect(), answer)) {
      last_ = failure;
      sentences.push_back(std::move(failure.sentence));
    }
    return sentences;
  }

  // The body's failures.
  std::vector<std::string> Body(const std::string& queries, json body) {
    return Http("{ json: { " + queries + " } }",
                {.status = 200, .body = body.dump()});
  }

  std::vector<std::string> Rows(const std::string& expect, const json& rows) {
    const plan::v1::Step step =
        Step("{ sql: select 1, expect: " + expect + " }");
    Schemas schemas(plan_);
    std::vector<std::string> sentences;
    for (Failure& failure : Evaluator(scope_, schemas)
                                .Rows(step.sql(), {"status", "cents"}, rows)) {
      sentences.push_back(std::move(failure.sentence));
    }
    return sentences;
  }

  suite::Scope scope_;
  plan::v1::Plan plan_;
  Failure last_;
};

TEST_F(EvaluatorTest, StatusesAreEqualOfAClassOrInAList) {
  const HttpAnswer created{.status = 201};
  EXPECT_THAT(Http("{ status: 201 }", created), IsEmpty());
  EXPECT_THAT(Http("{ status: 2xx }", created), IsEmpty());
  EXPECT_THAT(Http("{ status: [200, 201] }", created), IsEmpty());
  EXPECT_THAT(Http("{ status: { in: [400, 2xx] } }", created), IsEmpty());
  EXPECT_THAT(Http("{ status: { lt: 300, ne: 200 } }", created), IsEmpty());
  EXPECT_THAT(Http("{ status: { not: 5xx } }", created), IsEmpty());
  EXPECT_THAT(Http("{ status: 200 }", created),
              ElementsAre("expected status 200, got 201"));
  EXPECT_THAT(Http("{ status: 5xx }", created),
              ElementsAre("expected status 5xx, got 201"));
  EXPECT_THAT(Http("{ status: [200, 5xx] }", created),
              ElementsAre("expected status to be one of [200,\"5xx\"], got "
                          "201"));
  EXPECT_THAT(Http("{ status: { not: 2xx } }", created),
              ElementsAre("expected status not to equal \"2xx\", got 201"));
}

TEST_F(EvaluatorTest, HeadersAreJudgedByNameWhateverTheCase) {
  HttpAnswer answer{.status = 200};
  answer.headers = {{"location", "/orders/7"}, {"vary", "a"}, {"vary", "b"}};
  EXPECT_THAT(Http("{ headers: { Location: /orders/7 } }", answer), IsEmpty());
  EXPECT_THAT(Http("{ headers: { vary: \"a, b\" } }", answer), IsEmpty());
  EXPECT_THAT(Http("{ headers: { etag: { exists: false } } }", answer),
              IsEmpty());
  EXPECT_THAT(Http("{ headers: { location: { matches: \"^/o/\" } } }", answer),
              ElementsAre("expected header location to match \"^/o/\", got "
                          "\"/orders/7\""));
  EXPECT_THAT(Http("{ headers: { etag: { starts: W } } }", answer),
              ElementsAre("expected header etag to start with \"W\", but there "
                          "is none"));
}

TEST_F(EvaluatorTest, TellsANumberFromTheTextOfOne) {
  EXPECT_THAT(Body("$.n: 5", {{"n", 5.0}}), IsEmpty());
  EXPECT_THAT(Body("$.n: 5", {{"n", "5"}}),
              ElementsAre("expected $.n to equal 5, got the string \"5\""));
  EXPECT_THAT(Body("$.n: \"{{five}}\"", {{"n", 5}}), IsEmpty());
  EXPECT_THAT(Body("$.n: \"{{alice}}!\"", {{"n", "alice@example.test!"}}),
              IsEmpty());
}

TEST_F(EvaluatorTest, SaysWhatThereIsInsteadOfAMissingNode) {
  EXPECT_THAT(
      Body("$.order.total: 5", {{"order", {{"id", 1}, {"totals", 5}}}}),
      ElementsAre("expected $.order.total to equal 5, but $.order has only id "
                  "and totals"));
  EXPECT_THAT(Body("$.a.b: { exists: false }", {{"a", 1}}), IsEmpty());
  EXPECT_THAT(Body("$.a: { exists: false }", {{"a", nullptr}}),
              ElementsAre("expected $.a not to exist, got null"));
  EXPECT_THAT(Body("$.a: null", {{"a", nullptr}}), IsEmpty());
}

TEST_F(EvaluatorTest, MatchersOfValuesDoWhatTheirNamesSay) {
  const json body = {{"n", 5},
                     {"s", "héllo"},
                     {"a", {1, 2, 3}},
                     {"o", {{"x", 1}, {"w", {{"z", 2}}}}},
                     {"t", true}};
  for (const char* good :
       {"$.n: { gt: 4, gte: 5, lt: 6, lte: 5, ne: 4, in: [5, 6], type: "
        "integer }",
        "$.s: { starts: h, ends: o, contains: ll, matches: \"^h.llo$\", len: "
        "5, type: string }",
        "$.a: { len: { gte: 3 }, contains: 2, all: { gt: 0 }, any: 3, eq: [1, "
        "2, 3], not: { contains: 9 } }",
        "$.o: { contains: { w: { z: 2 } }, eq: { x: 1, w: { z: 2 } }, len: 2 "
        "}",
        "$.a: [1, 2, 3]", "$.t: true", "$.s: { gt: \"ha\" }"}) {
    EXPECT_THAT(Body(good, body), IsEmpty()) << good;
  }
  for (const char* bad : {"$.n: { gt: 5 }",
                          "$.n: { gte: 6 }",
                          "$.n: { lt: 5 }",
                          "$.n: { lte: 4 }",
                          "$.n: { ne: 5 }",
                          "$.n: { in: [4] }",
                          "$.n: { type: string }",
                          "$.s: { starts: e }",
                          "$.s: { ends: l }",
                          "$.s: { contains: x }",
                          "$.s: { matches: \"^e\" }",
                          "$.s: { len: 6 }",
                          "$.a: { len: { gte: 4 } }",
                          "$.a: { contains: 9 }",
                          "$.a: { all: { gt: 1 } }",
                          "$.a: { any: 9 }",
                          "$.a: [1, 2]",
                          "$.o: { contains: { w: { z: 3 } } }",
                          "$.o: { eq: { x: 1 } }",
                          "$.a: { not: { contains: 2 } }",
                          "$.t: \"true\"",
                          "$.s: { gt: 4 }",
                          "$.n: { all: 5 }",
                          "$.n: { len: 1 }"}) {
    EXPECT_EQ(Body(bad, body).size(), 1u) << bad;
  }
}

TEST_F(EvaluatorTest, NodelistsAreCountedAndSearched) {
  const json body = {{"lines", {{{"qty", 1}}, {{"qty", 0}}}}};
  EXPECT_THAT(Body("\"$.lines[*]\": { count: 2 }", body), IsEmpty());
  EXPECT_THAT(Body("\"$..qty\": { any: 0, contains: 1, exists: true }", body),
              IsEmpty());
  EXPECT_THAT(Body("\"$..sku\": { exists: false, count: 0 }", body), IsEmpty());
  EXPECT_THAT(
      Body("\"$.lines[*]\": { count: { gte: 3 } }", body),
      ElementsAre("expected $.lines[*] to have a count of at least 3, got 2"));
  EXPECT_THAT(Body("\"$..qty\": { all: { gte: 1 } }", body),
              ElementsAre("expected $..qty all to be at least 1, got 0 at "
                          "$['lines'][1]['qty']"));
  EXPECT_EQ(last_.where, "$['lines'][1]['qty']");
  EXPECT_THAT(Body("\"$..sku\": { all: A }", body),
              ElementsAre("expected $..sku to have elements, all as described, "
                          "got none"));
  EXPECT_THAT(Body("\"$..qty\": { contains: 7 }", body),
              ElementsAre("expected $..qty to have one to equal 7, got 1, 0"));
}

TEST_F(EvaluatorTest, ShowsASmallDiffOfWhatDiffers) {
  Body("$: { eq: { a: 1, b: [1, 2], c: x } }",
       {{"a", 1}, {"b", {1, 3, 4}}, {"d", "y"}});
  EXPECT_EQ(last_.diff,
            "- $.b[1]: 2\n+ $.b[1]: 3\n+ $.b[2]: 4\n- $.c: \"x\"\n+ $.d: "
            "\"y\"\n");
  EXPECT_EQ(last_.position.line(), 13);
}

TEST_F(EvaluatorTest, BodiesThatAreNotJsonAreShown) {
  HttpAnswer answer{.status = 200, .body = "<html>\x1b[31m oops"};
  answer.headers = {{"content-type", "text/html"}};
  const auto sentences = Http("{ json: { $.a: 1, $.b: 2 } }", answer);
  ASSERT_EQ(sentences.size(), 1u);
  EXPECT_THAT(sentences[0], HasSubstr("expected a JSON body, got text/html"));
  EXPECT_THAT(sentences[0], HasSubstr("<html>"));
  EXPECT_EQ(sentences[0].find('\x1b'), std::string::npos);
  EXPECT_THAT(Http("{ json: { $.a: 1 } }",
                   {.body = "{\"a\":1", .body_truncated = true})[0],
              HasSubstr("longer than the 6 bytes"));
  EXPECT_THAT(
      Http("{ json: { $.a: 1 } }", {.body = std::string(100'000, '[')})[0],
      HasSubstr("nested more than"));
}

TEST_F(EvaluatorTest, SchemasXmlBodiesAndTimesAreJudged) {
  EXPECT_THAT(
      Http("{ schema: order.json }", {.body = R"({"id":1,"lines":[1,0]})"}),
      ElementsAre("expected the body to fit order.json, but /lines/1 "
                  "is 0, expected at least 1"));
  EXPECT_THAT(Http("{ schema: order.json }", {.body = R"({"lines":[0]})"}),
              ElementsAre(HasSubstr("it has no property \"id\" (and 1 more)")));
  EXPECT_THAT(Http("{ xml: { //id: 7, /a/@n: x, \"count(//id)\": 1 } }",
                   {.body = "<a n='x'><id>7</id></a>"}),
              IsEmpty());
  EXPECT_THAT(Http("{ xml: { //no: 7 } }", {.body = "<a/>"}),
              ElementsAre("expected //no to equal \"7\", but there is none"));
  EXPECT_THAT(
      Http("{ within: 300ms }", {.duration = std::chrono::milliseconds(412)}),
      ElementsAre("expected an answer within 300ms, it took 412ms"));
  EXPECT_THAT(Http("{ body: pong }", {.body = "ping"}),
              ElementsAre("expected the body to equal \"pong\", got \"ping\""));
}

TEST_F(EvaluatorTest, RowsAreComparedWhole) {
  EXPECT_THAT(Rows("{ rows: [[created, 2598]], count: 1 }",
                   json::array({{"created", 2598}})),
              IsEmpty());
  EXPECT_THAT(
      Rows("{ rows: [[created, 2598]] }", json::array({{"created", 2600}})),
      ElementsAre("expected rows [[\"created\",2598]], got "
                  "[[\"created\",2600]]"));
  EXPECT_THAT(Rows("{ rows: [] }", json::array()), IsEmpty());
  EXPECT_THAT(Rows("{ rows: [[created, 2598]] }",
                   json::array({{{"status", "created"}, {"cents", 2598}}})),
              IsEmpty());
  EXPECT_THAT(Rows("{ count: { gte: 2 } }", json::array({{"a", 1}})),
              ElementsAre("expected the number of rows to be at least 2, got "
                          "1"));
  EXPECT_THAT(Rows("{ json: { \"$[?@.cents > 5].status\": { all: a } } }",
                   json::array({{"a", 6}, {"b", 1}})),
              IsEmpty());
}

TEST_F(EvaluatorTest, AMissingValueOfATemplateIsAFailure) {
  const plan::v1::Step step =
      Step("{ get: /, expect: { body: \"{{alice}}\" } }");
  suite::Scope empty;
  Schemas schemas(plan_);
  const auto failures =
      Evaluator(empty, schemas).Http(step.http().expect(), {});
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_THAT(failures[0].sentence, HasSubstr("there is no value {{alice}}"));
}

TEST_F(EvaluatorTest, CapturesTakeValuesOrSayWhatWasThere) {
  const plan::v1::Step step = Step(
      "{ get: /, capture: { a: $.id, b: { header: Location }, c: { cookie: sid "
      "}, d: { regex: \"id=([0-9]+)\" }, e: { status: true }, f: { body: true "
      "} } }");
  HttpAnswer answer{.status = 201, .body = R"({"id":{"x":1}})"};
  answer.headers = {{"location", "/x"}, {"set-cookie", "sid=42; Path=/"}};
  std::vector<json> values;
  for (const plan::v1::Capture& capture : step.http().captures()) {
    const auto value = TakeCapture(capture, answer);
    values.push_back(value ? *value : json(value.error().sentence));
  }
  EXPECT_THAT(
      values,
      ElementsAre(json{{"x", 1}}, "/x", "42",
                  "cannot capture d: nothing in the body matches id=([0-9]+)",
                  201, R"({"id":{"x":1}})"));
  EXPECT_EQ(TakeCapture(step.http().captures(0), HttpAnswer{.body = "{}"})
                .error()
                .sentence,
            "cannot capture a: there is nothing at $.id in {}");
}

TEST_F(EvaluatorTest, ReadinessAndStopOnAskOnlyWhetherAStatusHolds) {
  const plan::v1::Step step = Step(
      "{ get: /, eventually: { within: 1s, stop_on: { status: [401, 5xx] "
      "} }, expect: { status: 200 } }");
  EXPECT_TRUE(StatusHolds(step.eventually().stop_on_status(), 503));
  EXPECT_FALSE(StatusHolds(step.eventually().stop_on_status(), 404));
}

}  // namespace
}  // namespace assay::assertions
