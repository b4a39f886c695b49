// What helps authors: new suites, formatting, explanations.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/suite/compiler.h"
#include "runner/suite/explain.h"
#include "runner/suite/format.h"
#include "runner/suite/json_schema.h"
#include "runner/suite/openapi_schema.h"
#include "runner/suite/skeleton.h"
#include "runner/suite/yaml_text.h"
#include "runner/suite/yaml_tree.h"
#include "tests/testing/corpora.h"

namespace assay::suite {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kOpenApi = R"(
openapi: 3.0.3
info: { title: "Orders: an API", version: 1.0.0 }
security: [ { token: [] } ]
paths:
  /healthz:
    get: { security: [], responses: { "204": { description: fine } } }
  /orders:
    get:
      operationId: listOrders
      summary: Lists orders, newest first
      parameters:
        - { name: limit, in: query, required: true, schema: { type: integer, minimum: 5 } }
      responses:
        "200":
          content:
            application/json:
              schema: { type: array, items: { $ref: '#/components/schemas/Order' } }
        default: { description: no }
    post:
      operationId: createOrder
      requestBody:
        content:
          application/json: { schema: { $ref: '#/components/schemas/NewOrder' } }
      responses:
        "201":
          content:
            application/json: { schema: { $ref: '#/components/schemas/Order' } }
  /orders/{id}/{rest}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: string, format: uuid } }
    delete:
      responses: { "2XX": { $ref: '#/components/responses/Gone' } }
components:
  responses: { Gone: { description: gone } }
  schemas:
    NewOrder:
      type: object
      required: [ lines, y ]
      properties:
        lines: { type: array, items: { type: object, properties: { sku: { type: string, example: "{{A-1}}" }, qty: { type: integer, default: 2 } } } }
        y: { type: string, enum: [ "on", "off" ] }
        comment: { type: string }
    Order:
      type: object
      required: [ id ]
      properties:
        id: { type: string }
        parent: { $ref: '#/components/schemas/Order' }
        note: { type: string, nullable: true }
        total: { type: number, minimum: 0, exclusiveMinimum: true, example: 5 }
)";

TEST(SkeletonTest, ANewSuiteCompiles) {
  const Skeleton skeleton = NewSuite("Orders: \"API\"");
  const auto compiled = Compile(skeleton.files);
  ASSERT_TRUE(compiled.has_value()) << ToText(compiled.error());
  EXPECT_EQ(compiled->plan.name(), "Orders: \"API\"");
  EXPECT_EQ(compiled->plan.checks_size(), 1);
}

TEST(SkeletonTest, AnOpenApiDocumentBecomesASuiteThatCompiles) {
  const auto skeleton = SuiteFromOpenApi(kOpenApi);
  ASSERT_TRUE(skeleton.has_value()) << skeleton.error().message;
  const auto compiled = Compile(skeleton->files);
  ASSERT_TRUE(compiled.has_value())
      << ToText(compiled.error()) << skeleton->files.at("assay.yaml");
  const auto& checks = compiled->plan.checks();
  ASSERT_EQ(checks.size(), 4);
  EXPECT_EQ(compiled->plan.services(0).ready().path(), "/healthz");
  EXPECT_EQ(checks[0].id(), "get-healthz");
  EXPECT_TRUE(checks[0].steps(0).http().bearer().empty());
  EXPECT_EQ(checks[1].id(), "list-orders");
  EXPECT_EQ(checks[1].title(), "Lists orders, newest first");
  EXPECT_EQ(checks[1].steps(0).http().path(), "/orders?limit=5");
  EXPECT_EQ(checks[1].steps(0).http().bearer(), "{{token}}");
  const json body = json::parse(checks[2].steps(0).http().json());
  EXPECT_EQ(body["lines"][0]["qty"], 2);
  EXPECT_EQ(body["y"], "on");
  EXPECT_FALSE(body.contains("comment"));
  EXPECT_EQ(checks[3].steps(0).http().path(),
            "/orders/00000000-0000-4000-8000-000000000001/1");
  EXPECT_EQ(skeleton->notes.size(), 2u);
}

TEST(SkeletonTest, AnOperationIsCalledWithEverythingThatItRequires) {
  const auto skeleton = SuiteFromOpenApi(R"yaml(
openapi: 3.1.0
info: { title: x }
servers:
  - { url: "https://{host}.example.com/api/{version}/", variables: { version: { default: v2 } } }
security: [ { key: [] } ]
paths:
  /things/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer } }
      - { name: X-Tenant, in: header, required: true, example: of the path }
    get:
      security: []
      parameters: [ { name: X-Tenant, in: header, required: true, example: acme } ]
      responses: { 200: { description: ok } }
    put:
      security: [ { login: [] } ]
      parameters:
        - { name: Accept, in: header, required: true, example: text/html }
        - { name: X-Trace, in: header, schema: { type: string } }
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: { properties: { a: { type: integer, example: 7 }, b: { type: string, example: "@x" } } }
      responses: { 204: { description: ok } }
  /search:
    get:
      parameters: [ { name: q, in: query, required: true, example: a b } ]
      responses: { 2XX: { description: ok } }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-API-Key }
    login: { type: http, scheme: Basic }
)yaml");
  ASSERT_TRUE(skeleton.has_value()) << skeleton.error().message;
  const auto compiled = Compile(skeleton->files);
  ASSERT_TRUE(compiled.has_value())
      << ToText(compiled.error()) << skeleton->files.at("assay.yaml");
  const auto& checks = compiled->plan.checks();
  ASSERT_EQ(checks.size(), 3);
  const auto& search = checks[0].steps(0).http();
  EXPECT_EQ(search.path(), "/api/v2/search?q=a%20b");
  ASSERT_EQ(search.headers_size(), 1);
  EXPECT_EQ(search.headers(0).name(), "x-api-key");
  EXPECT_EQ(search.headers(0).value(), "{{token}}");
  const auto& get = checks[1].steps(0).http();
  EXPECT_EQ(get.path(), "/api/v2/things/1");
  ASSERT_EQ(get.headers_size(), 1);
  EXPECT_EQ(get.headers(0).value(), "acme");
  const auto& put = checks[2].steps(0).http();
  EXPECT_EQ(put.basic().user(), "{{user}}");
  ASSERT_EQ(put.headers_size(), 1) << "neither Accept nor what is optional";
  ASSERT_EQ(put.form().fields_size(), 2);
  EXPECT_EQ(put.form().fields(0).value(), "7");
  EXPECT_EQ(put.form().fields(1).value(), " @x");
  EXPECT_EQ(compiled->plan.services(0).ready().path(), "/");
  EXPECT_EQ(compiled->plan.vars_size(), 3);
}

TEST(SkeletonTest, TheSchemasOfAnswersJudgeAsTheDocumentSays) {
  const auto skeleton = SuiteFromOpenApi(kOpenApi);
  const auto schema =
      JsonSchema::Load(skeleton->files, "schemas/list-orders.json");
  ASSERT_TRUE(schema.has_value()) << schema.error().message;
  EXPECT_TRUE(
      schema
          ->Validate(json::parse(
              R"([{"id":"a","note":null,"total":0.5,"parent":{"id":"b"}}])"))
          .empty());
  EXPECT_FALSE(schema->Validate(json::parse(R"([{"total":0}])")).empty());
  EXPECT_FALSE(
      schema->Validate(json::parse(R"([{"id":"a","total":0}])")).empty());
  EXPECT_FALSE(
      schema->Validate(json::parse(R"([{"id":"a","parent":{}}])")).empty());
}

TEST(SkeletonTest, RefusesWhatIsNotOpenApi3) {
  EXPECT_THAT(SuiteFromOpenApi("swagger: '2.0'").error().message,
              HasSubstr("not an OpenAPI 3 document"));
  EXPECT_THAT(SuiteFromOpenApi("openapi: 3.1.0").error().message,
              HasSubstr("no \"paths\""));
  EXPECT_THAT(SuiteFromOpenApi("a: [").error().message,
              HasSubstr("openapi.yaml:"));
  // References in a circle end.
  EXPECT_TRUE(SuiteFromOpenApi(
                  "openapi: 3.0.0\npaths: { /a: { post: { requestBody: { "
                  "content: { application/json: { schema: { $ref: "
                  "'#/components/schemas/A' } } } } } } }\ncomponents: { "
                  "schemas: { A: { allOf: [ { $ref: '#/components/schemas/A' "
                  "}, { properties: { a: { $ref: '#/components/schemas/A' } } "
                  "} ] } } }")
                  .has_value());
}

TEST(SkeletonTest, RefusesPathsWithoutOperations) {
  EXPECT_THAT(SuiteFromOpenApi("openapi: 3.1.0\npaths: { /a: { ges: {} } }\n")
                  .error()
                  .message,
              HasSubstr("have no operations"));
}

TEST(YamlTextTest, ScalarsAreReadBackAsTheyWere) {
  for (const char* text :
       {"plain",       "/orders/7", "yes",
        "No",          "007",       "1.5",
        "a: b",        "a #b",      "- a",
        "{{x}}",       "",          " a",
        "a ",          "null",      "quote \" and \\",
        "line\nbreak", "é",         "@a",
        "~",           "y",         "Lists orders, newest first"}) {
    Diagnostics diagnostics;
    const auto tree =
        ParseYaml("a", "v: " + YamlScalar(text) + "\n", diagnostics);
    ASSERT_NE(tree, nullptr) << text;
    EXPECT_EQ(ToJson(*tree)["v"], text);
  }
}

TEST(FormatTest, TidiesWithoutTouchingValuesOrComments) {
  const std::string messy =
      "version: 1   \r\nname: x\r\nservice:\n  start: ./run\n\n\n\n"
      "#comment\nchecks:\n  - id: a\n    text: |\n      keep   \n\n\n      "
      "this\n  #about b\n  - id: b\n\n\n";
  const auto tidy = FormatSuite(messy);
  ASSERT_TRUE(tidy.has_value());
  Diagnostics diagnostics;
  EXPECT_EQ(ToJson(*ParseYaml("a", *tidy, diagnostics)),
            ToJson(*ParseYaml("a", messy, diagnostics)));
  EXPECT_THAT(*tidy, HasSubstr("keep   \n\n\n"));
  EXPECT_THAT(*tidy, HasSubstr("version: 1\nname"));
  EXPECT_THAT(*tidy, HasSubstr("# about b"));
  EXPECT_THAT(*tidy, HasSubstr("# comment\nchecks:\n  - id: a"));
  EXPECT_EQ(*FormatSuite(*tidy), *tidy);
}

TEST(FormatTest, PutsALineBetweenChecks) {
  const auto tidy = FormatSuite(
      "version: 1  \nname: x\nchecks:\n  - id: a\n    points: 1\n  #second\n  "
      "- id: b\n    points: 2");
  ASSERT_TRUE(tidy.has_value());
  EXPECT_EQ(*tidy,
            "version: 1\nname: x\n\nchecks:\n  - id: a\n    points: 1\n\n  # "
            "second\n  - id: b\n    points: 2\n");
  EXPECT_FALSE(FormatSuite("a: [").has_value());
}

TEST(FormatTest, TheSharedSuiteIsTidyAlready) {
  const std::string text =
      testing::ReadFile(testing::SourceRoot() /
                        "tests/runner/suite/testdata/orders-api/assay.yaml");
  EXPECT_EQ(*FormatSuite(text), text);
}

TEST(ExplainTest, SpellsACheckOutWithItsFlows) {
  const auto compiled = Compile(
      {{"assay.yaml",
        "version: 1\nname: x\nservice: { start: ./run }\n"
        "sidecars: { db: { kind: postgres } }\n"
        "flows: { login: [ { post: /login, json: { a: 1 }, capture: { token: { "
        "jsonpath: $.t, secret: true } } } ] }\n"
        "checks:\n"
        "  - id: create\n    title: Creating works\n    points: 2.5\n"
        "    visibility: hidden\n"
        "    steps:\n"
        "      - use: login\n"
        "      - get: /x\n"
        "        expect: { status: [200, 5xx], json: { $.a: { gte: 1, not: 3 "
        "} } }\n"
        "        eventually: { within: 2s }\n"
        "      - { sql: select 1, expect: { rows: [[1]] } }\n"}});
  ASSERT_TRUE(compiled.has_value()) << ToText(compiled.error());
  EXPECT_EQ(*ExplainCheck(compiled->plan, "create"),
            "create: Creating works\n"
            "2.5 points; hidden; ends after 30s.\n"
            "\n"
            "1. use login  (assay.yaml:12)\n"
            "1.1. POST /login  (assay.yaml:5)\n"
            "     sends {\"a\":1}\n"
            "     remembers token, a secret\n"
            "2. GET /x  (assay.yaml:13)\n"
            "     expects: status is one of [200,\"5xx\"]\n"
            "     expects: $.a is at least 1 and does not hold that it is 3\n"
            "     repeated for 2s, every 200ms\n"
            "3. sql on db  (assay.yaml:16)\n"
            "     select 1\n"
            "     expects: rows [[1]]\n");
  EXPECT_EQ(ExplainCheck(compiled->plan, "craete").error().message,
            "there is no check \"craete\"; did you mean \"create\"?");
}

// Whatever a check can fail by is said: nobody has to read the suite as well.
TEST(ExplainTest, NothingThatIsExpectedIsLeftOut) {
  const auto compiled = Compile({{"assay.yaml", R"yaml(version: 1
name: x
service: { start: ./run }
checks:
  - id: all
    title: All
    points: 1
    visibility: hidden
    steps:
      - get: /a
        http: 2
        auth: { basic: { user: ada, password: x } }
        headers: { x-a: b }
        form: { name: v }
        cookies: true
        redirects: 3
        expect: { xml: { /a/b: y }, body: { starts: "<" } }
        eventually: { within: 1s, stop_on: { status: 5xx } }
      - websocket: /ws
        exchange: [ { send: hi }, { expect: { json: { $.n: 1 } }, capture: { seen: $.n } }, { close: 4001 } ]
      - { grpc: a.B/C, json: { x: 1 }, expect: { status: NOT_FOUND, json: { $.y: 2 } } }
      - burst: { times: 3, request: { get: /b }, expect: { distinct: $.id, within: 1s } }
      - load: { rate: 10/s, for: 1s, request: { get: /c }, partial: { metric: p99, full: 1ms, zero: 9ms }, valid_if: { host_stall_max: { lte: 50ms } } }
      - trace: { per: check, span: { starts: POST }, attrs: { a: 1 }, count: 2, duration: { lt: 5ms } }
      - metrics: { name: hits, labels: { code: "200" }, value: { gte: 1 } }
      - { command: make t, in: suite, import: { junit: r.xml, min_cases: 5 }, expect: { exit: 3 } }
)yaml"}});
  ASSERT_TRUE(compiled.has_value()) << ToText(compiled.error());
  const std::string text = *ExplainCheck(compiled->plan, "all");
  for (const char* said : {"over HTTP/2",
                           "as ada (basic)",
                           "with x-a: b",
                           "a form with name",
                           "keeps cookies",
                           "3 at most",
                           "/a/b is \"y\"",
                           "the body starts with \"<\"",
                           "given up at once",
                           "sends hi",
                           "$.n is 1",
                           "remembers seen",
                           "closed with 4001",
                           "status is NOT_FOUND",
                           "$.y is 2",
                           "$.id differs",
                           "all answered within 1s",
                           "points by p99: all at 1, none at 9",
                           "counts only if host_stall_max",
                           "name starts with \"POST\"",
                           "whose a is 1",
                           "number is 2",
                           "the time of each is less than",
                           "hits with code 200 is at least 1",
                           "at least 5 executed",
                           "the exit code is 3"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(said)) << text;
  }
}

}  // namespace
}  // namespace assay::suite
