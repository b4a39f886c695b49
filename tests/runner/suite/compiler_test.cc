#include "runner/suite/compiler.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/testing/corpora.h"

namespace assay::suite {
namespace {

namespace fs = std::filesystem;
using plan::v1::Matcher;
using plan::v1::Plan;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Files FilesIn(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), folder).generic_string()] =
        testing::ReadFile(entry.path());
  }
  return files;
}

fs::path TestData() {
  return testing::SourceRoot() / "tests" / "runner" / "suite" / "testdata";
}

Plan PlanOf(const Files& files) {
  auto compiled = Compile(files);
  if (compiled) return std::move(compiled->plan);
  ADD_FAILURE() << ToText(compiled.error());
  return {};
}

constexpr std::string_view kTop = "version: 1\nname: x\n";
constexpr std::string_view kService = "service: { start: ./run }\n";

// One check with these steps.
std::string Check(const std::string& steps, const std::string& keys = "") {
  return "checks:\n  - { id: a, title: t, points: 4, visibility: public, " +
         keys + "\n steps: [ " + steps + " ] }\n";
}

Plan WithSteps(const std::string& steps, const std::string& part = "") {
  return PlanOf({{"assay.yaml", std::string(kTop) + std::string(kService) +
                                    part + Check(steps)},
                 {"tests/a.py", "a"},
                 {"tests/b.py", "b"},
                 {"good/main.py", "g"},
                 {"bad/main.py", "b"},
                 {"body.bin", "x"}});
}

std::vector<std::string> Warnings(const std::string& text) {
  const auto compiled = Compile({{"assay.yaml", text}});
  std::vector<std::string> said;
  if (!compiled) return {ToText(compiled.error())};
  for (const Diagnostic& warning : compiled->warnings) {
    said.push_back(warning.Text());
  }
  return said;
}

TEST(CompilerTest, TheOrdersSuiteGivesTheGoldenPlan) {
  const Plan plan = PlanOf(FilesIn(TestData() / "orders-api"));
  const fs::path golden = TestData() / "orders-api.plan.txt";
  if (std::getenv("ASSAY_UPDATE_GOLDEN") != nullptr) {
    std::string text;
    google::protobuf::TextFormat::PrintToString(plan, &text);
    std::ofstream(golden) << text;
  }
  Plan expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      testing::ReadFile(golden), &expected));
  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  EXPECT_TRUE(differencer.Compare(expected, plan))
      << differences << "run with ASSAY_UPDATE_GOLDEN=1 if that is meant";
  EXPECT_EQ(PlanDigest(expected), PlanDigest(plan));
}

TEST(CompilerTest, DigestsFollowWhatIsExecutedAndNothingElse) {
  Files files = FilesIn(TestData() / "orders-api");
  const std::string digest = PlanDigest(PlanOf(files));
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(PlanDigest(PlanOf(files)), digest);
  files["unused.txt"] = "not named by the suite";
  EXPECT_EQ(PlanDigest(PlanOf(files)), digest);
  files["sql/seed.sql"] += " ";
  EXPECT_NE(PlanDigest(PlanOf(files)), digest);
}

TEST(CompilerTest, FillsInLimitsAndDefaults) {
  const Plan plan = WithSteps("{ get: / }");
  EXPECT_EQ(plan.limits().run_timeout().seconds(), 600);
  EXPECT_EQ(plan.limits().request_timeout().seconds(), 10);
  EXPECT_EQ(plan.limits().memory_bytes(), 1 << 30);
  EXPECT_EQ(plan.environment().image(), "host");
  ASSERT_EQ(plan.services_size(), 1);
  EXPECT_EQ(plan.services(0).port(), 8080);
  EXPECT_EQ(plan.services(0).ready().timeout().seconds(), 30);
  EXPECT_TRUE(plan.services(0).ready().path().empty());
  EXPECT_EQ(plan.checks(0).timeout().seconds(), 30);
  EXPECT_EQ(plan.checks(0).reveal_at(), plan::v1::Check::REVEAL_AT_PUSH);
  EXPECT_EQ(plan.max_points(), 4);
}

TEST(CompilerTest, SeveralProcessesShareTheirBuildAndEnvironment) {
  const Plan plan = PlanOf(
      {{"assay.yaml",
        std::string(kTop) +
            "service:\n"
            "  build: make\n"
            "  env: { A: shared, B: \"{{services.api.url}}\" }\n"
            "  processes:\n"
            "    api: { start: ./api, ports: { admin: 9000 } }\n"
            "    worker: { start: ./worker, env: { A: own }, restart: "
            "per-check, stop_grace: 5s }\n" +
            Check("{ get: /, service: api, port: admin }, { restart: worker }, "
                  "{ fault: { target: worker, pause: true } }")}});
  ASSERT_EQ(plan.services_size(), 2);
  EXPECT_EQ(plan.services(0).build().run(), "make");
  EXPECT_FALSE(plan.services(1).has_build());
  EXPECT_EQ(plan.services(0).start().env().at("A"), "shared");
  EXPECT_EQ(plan.services(1).start().env().at("A"), "own");
  EXPECT_EQ(plan.services(1).start().env().at("B"), "{{services.api.url}}");
  EXPECT_EQ(plan.services(1).port(), 8081);
  EXPECT_EQ(plan.services(1).restart(), plan::v1::Service::RESTART_PER_CHECK);
  EXPECT_EQ(plan.checks(0).steps(0).http().port(), "admin");
}

TEST(CompilerTest, ExpectationsBecomeMatchersWithConvertedUnits) {
  const Plan plan = WithSteps(
      "{ get: /, expect: { status: [401, 5xx], headers: { X-A: 5 }, json: { "
      "$.a: { len: { gte: 2 }, not: null }, \"$[*]\": { count: 3 } } } },"
      "{ load: { rate: 90/m, for: 2s, request: { get: / }, expect: { p99: { "
      "lte: 80ms }, errors: { lte: 0.1% } } } }");
  const auto& expect = plan.checks(0).steps(0).http().expect();
  EXPECT_EQ(expect.status().matchers(0).op(), Matcher::OP_IN);
  EXPECT_EQ(expect.status().matchers(0).operand_json(), "[401,\"5xx\"]");
  EXPECT_EQ(expect.headers(0).name(), "x-a");
  EXPECT_EQ(expect.headers(0).expectation().matchers(0).operand_json(),
            "\"5\"");
  EXPECT_TRUE(expect.json(0).singular());
  EXPECT_EQ(expect.json(0).expectation().matchers(0).inner(0).op(),
            Matcher::OP_GTE);
  EXPECT_EQ(expect.json(0).expectation().matchers(1).inner(0).operand_json(),
            "null");
  EXPECT_FALSE(expect.json(1).singular());
  EXPECT_EQ(expect.json(1).expectation().matchers(0).inner(0).operand_json(),
            "3");
  const auto& load = plan.checks(0).steps(1).load();
  EXPECT_DOUBLE_EQ(load.rate(), 1.5);
  EXPECT_EQ(load.expect(0).expectation().matchers(0).operand_json(), "80");
  EXPECT_EQ(load.expect(1).expectation().matchers(0).operand_json(), "0.001");
}

TEST(CompilerTest, HttpStepsCarryBodiesAuthAndCaptures) {
  const Plan plan = WithSteps(
      "{ request: /x, method: PROPFIND, query: { a: [1, 2] }, headers: { "
      "Accept: x }, file: body.bin, auth: { basic: { user: u, password: p } }, "
      "redirects: 3, cookies: true, http: \"2\", capture: { id: $.id, c: { "
      "cookie: sid, secret: true } } },"
      "{ post: /f, form: { a: b } }, { post: /m, multipart: { f: \"@body.bin\" "
      "} },"
      "{ graphql: \"{ a { b } }\", variables: { v: 1 } }");
  const auto& steps = plan.checks(0).steps();
  EXPECT_EQ(steps[0].title(), "PROPFIND /x");
  EXPECT_EQ(steps[0].http().query_size(), 2);
  EXPECT_EQ(steps[0].http().headers(0).name(), "accept");
  EXPECT_EQ(steps[0].http().file(), "body.bin");
  EXPECT_EQ(plan.files().at("body.bin"), "x");
  EXPECT_EQ(steps[0].http().basic().password(), "p");
  EXPECT_EQ(steps[0].http().redirects(), 3);
  EXPECT_EQ(steps[0].http().version(), plan::v1::HttpStep::VERSION_2);
  EXPECT_EQ(steps[0].http().captures(0).jsonpath(), "$.id");
  EXPECT_TRUE(steps[0].http().captures(1).secret());
  EXPECT_EQ(steps[1].http().form().fields(0).value(), "b");
  EXPECT_EQ(steps[2].http().multipart().fields(0).value(), "@body.bin");
  EXPECT_EQ(steps[3].http().json(),
            R"({"query":"{ a { b } }","variables":{"v":1}})");
}

TEST(CompilerTest, StepsOfEveryOtherKindAreTypedOrKeptAsWritten) {
  const Plan plan = WithSteps(
      "{ sql: \"select $1\", args: [ \"{{uuid}}\" ], expect: { rows: [ 1, [2] "
      "], count: 2 } }, { redis: \"GET {{ uuid }} x\", expect: 1 }, { wait: "
      "10ms }, { heal: db }, { trace: { queries_per_request: { lte: 5 } } }, { "
      "logs: { require: { matches: x } } }, { fault: { target: db, latency: "
      "200ms, for: 1s } }, { metrics: { name: up, value: 1 } }, { websocket: "
      "/ws, exchange: [ { send: a }, { expect: { json: { $.id: 1 } }, capture: "
      "{ id: $.id } }, { request: { post: \"/{{id}}\" } }, { close: 1000 } ] "
      "}, "
      "{ grpc: a.B/C, json: {}, expect: { status: NOT_FOUND } }, { events: /e, "
      "exchange: [ { event: created, expect: { body: x } } ] }",
      "sidecars: { db: { kind: postgres }, r: { kind: redis } }\n");
  const auto& steps = plan.checks(0).steps();
  EXPECT_EQ(steps[0].sql().target(), "db");
  EXPECT_EQ(steps[0].sql().rows_json(), "[[1],[2]]");
  EXPECT_THAT(steps[1].redis().arguments(),
              ElementsAre("GET", "{{ uuid }}", "x"));
  EXPECT_EQ(steps[2].wait().duration().nanos(), 10'000'000);
  EXPECT_EQ(steps[4].trace().per(), "request");
  EXPECT_EQ(steps[4].trace().source(), "tap");
  EXPECT_EQ(steps[5].logs().sources_size(), 4);
  EXPECT_EQ(steps[6].fault().action(), "latency");
  EXPECT_EQ(steps[6].fault().argument_json(), "200");
  EXPECT_EQ(steps[7].metrics().name(), "up");
  EXPECT_EQ(steps[7].metrics().source(), "prometheus");
  const auto& exchanges = steps[8].stream().exchanges();
  EXPECT_EQ(steps[8].stream().open().path(), "/ws");
  EXPECT_EQ(exchanges[0].text(), "a");
  EXPECT_EQ(exchanges[1].captures(0).jsonpath(), "$.id");
  EXPECT_EQ(exchanges[2].request().http().path(), "/{{id}}");
  EXPECT_EQ(exchanges[3].close(), 1000);
  EXPECT_EQ(steps[9].grpc().method(), "a.B/C");
  EXPECT_EQ(steps[9].grpc().status(), "NOT_FOUND");
  EXPECT_TRUE(steps[10].stream().events());
  EXPECT_EQ(steps[10].stream().exchanges(0).event(), "created");
}

TEST(CompilerTest, CommandsAreNumberedAndTakeTheirFilesAlong) {
  const Plan plan = WithSteps(
      "{ command: pytest, in: suite, files: [ tests/ ], import: { junit: r.xml "
      "}, expect: { exit: 0 } }, { mutants: { run: make test, reference: good, "
      "variants: [ { name: v, folder: bad } ] } }");
  const auto& steps = plan.checks(0).steps();
  EXPECT_EQ(steps[0].command().index(), 0);
  EXPECT_FALSE(steps[0].command().in_repository());
  EXPECT_EQ(steps[0].command().import_format(), "junit");
  EXPECT_EQ(steps[0].command().min_cases(), 1);
  EXPECT_EQ(steps[1].mutants().index(), 1);
  EXPECT_EQ(steps[1].mutants().variants(0).folder(), "bad/");
  EXPECT_EQ(plan.files().size(), 4u);
  EXPECT_FALSE(plan.checks(0).claimed());
}

TEST(CompilerTest, PointsBonusesCapsAndClaimsMakeTheMaximum) {
  const Plan plan = PlanOf(
      {{"assay.yaml",
        std::string(kTop) + std::string(kService) +
            "visibility: hidden\n"
            "checks:\n"
            "  - { id: a, title: t, points: 5, steps: [ { get: / } ] }\n"
            "  - { id: b, title: t, points: 5, cap: 3, needs: a, steps: [ { "
            "get: / } ] }\n"
            "  - { id: c, title: t, points: 5, bonus: true, reveal: title, "
            "steps: [ { get: / } ] }\n"
            "  - { id: d, title: t, points: 0, visibility: public, steps: [ { "
            "command: make test } ] }\n"
            "  - { id: e, title: t, points: 2, cases: [ { nr: 1 }, { name: "
            "two, "
            "nr: 2 } ], steps: [ { get: \"/{{case.nr}}\" } ] }\n"}});
  EXPECT_EQ(plan.max_points(), 10);
  EXPECT_EQ(plan.hidden_check_count(), 4);
  EXPECT_TRUE(plan.checks(3).claimed());
  EXPECT_THAT(plan.checks(1).needs(), ElementsAre("a"));
  EXPECT_EQ(plan.checks(0).reveal(), plan::v1::Check::REVEAL_NONE);
  EXPECT_EQ(plan.checks(2).reveal(), plan::v1::Check::REVEAL_TITLE);
  EXPECT_TRUE(plan.checks(4).partial());
  EXPECT_EQ(plan.checks(4).cases(0).name(), "case 1");
  EXPECT_EQ(plan.checks(4).cases(1).name(), "two");
  EXPECT_EQ(plan.checks(4).cases(1).values().at("nr"), "2");
}

TEST(CompilerTest, PollingStepsGetTheTimeThatTheyAskFor) {
  const Plan plan = PlanOf(
      {{"assay.yaml",
        std::string(kTop) + std::string(kService) +
            Check("{ get: /, eventually: { within: 40s } }, { get: / }, { get: "
                  "/, timeout: 3s }",
                  "timeout: 60s,")}});
  const auto& steps = plan.checks(0).steps();
  EXPECT_EQ(steps[0].timeout().seconds(), 50);
  EXPECT_EQ(steps[0].eventually().every().nanos(), 200'000'000);
  EXPECT_EQ(steps[1].timeout().seconds(), 30);
  EXPECT_EQ(steps[2].timeout().seconds(), 3);
}

TEST(CompilerTest, IncludedFilesKeepTheirNameAndVisibility) {
  const Plan plan = PlanOf(
      {{"assay.yaml", std::string(kTop) + std::string(kService) +
                          "include: [ hidden.yaml ]\n" + Check("{ use: f }")},
       {"hidden.yaml",
        "visibility: hidden\n"
        "flows: { f: [ { get: / } ] }\n"
        "checks:\n  - { id: h, title: t, points: 1, steps: [ { use: f } ] "
        "}\n"}});
  ASSERT_EQ(plan.checks_size(), 2);
  EXPECT_EQ(plan.checks(0).id(), "h");
  EXPECT_TRUE(plan.checks(0).hidden());
  EXPECT_EQ(plan.checks(0).position().file(), "hidden.yaml");
  EXPECT_EQ(plan.checks(1).position().file(), "");
}

TEST(CompilerTest, CandidatesGetPublicPartsOnly) {
  const Plan plan = PlanOf(
      {{"assay.yaml",
        std::string(kTop) + std::string(kService) +
            "secrets: { s: { generate: uuid }, hidden_s: { generate: uuid } }\n"
            "vars: { a: \"{{secrets.s}}\", canary: hidden-value }\n"
            "flows: { f: [ { get: \"/{{a}}\" } ], g: [ { get: /canary } ] }\n"
            "checks:\n"
            "  - { id: h, title: canary, points: 2, visibility: hidden, steps: "
            "[ { use: g }, { post: /, json: \"{{canary}} "
            "{{secrets.hidden_s}}\", expect: { schema: canary.json } } ] }\n"
            "  - { id: p, title: t, points: 1, visibility: public, needs: h, "
            "steps: [ { use: f }, { get: /, expect: { schema: a.json } } ] "
            "}\n"},
       {"a.json", "{\"$ref\":\"b.json\"}"},
       {"b.json", "{\"title\":\"b\"}"},
       {"canary.json", "{}"}});
  const Plan candidate = CandidatePlan(plan);
  EXPECT_THAT(candidate.DebugString(), ::testing::Not(HasSubstr("canary")));
  EXPECT_THAT(candidate.DebugString(), ::testing::Not(HasSubstr("hidden_s")));
  EXPECT_EQ(candidate.checks_size(), 1);
  EXPECT_EQ(candidate.checks(0).needs_size(), 0);
  EXPECT_EQ(candidate.max_points(), 1);
  EXPECT_EQ(candidate.hidden_check_count(), 1);
  EXPECT_TRUE(candidate.vars().contains("a"));
  EXPECT_EQ(candidate.secrets_size(), 1);
  EXPECT_EQ(candidate.files().size(), 2u);
  EXPECT_EQ(candidate.flows().size(), 1u);
}

TEST(CompilerTest, FilesThatAreExecutableStaySo) {
  const Files files = {
      {"assay.yaml",
       std::string(kTop) + std::string(kService) +
           "checks:\n"
           "  - { id: h, title: t, points: 1, visibility: hidden, steps: [ { "
           "command: ./hidden, in: suite, files: [ hidden ] } ] }\n"
           "  - { id: p, title: t, points: 1, visibility: public, steps: [ { "
           "command: ./open, in: suite, files: [ open ] } ] }\n"},
      {"hidden", "exit 0"},
      {"open", "exit 0"},
      {"other", "exit 0"}};
  const auto compiled = Compile(files, {"hidden", "open", "other"});
  ASSERT_TRUE(compiled.has_value());
  EXPECT_THAT(compiled->plan.programs(),
              ::testing::ElementsAre("hidden", "open"));
  EXPECT_THAT(CandidatePlan(compiled->plan).programs(),
              ::testing::ElementsAre("open"));
}

TEST(CompilerTest, WarnsOfWhatIsProbablyNotMeant) {
  EXPECT_THAT(
      Warnings(std::string(kTop) + std::string(kService) +
               "secrets: { s: { generate: uuid } }\n"
               "vars: { v: 1 }\n" +
               Check("{ get: / }", "reveal: title,")),
      ElementsAre("assay.yaml:4:12: warning: nothing uses the secret \"s\"",
                  "assay.yaml:5:9: warning: nothing uses the variable \"v\"",
                  HasSubstr("do nothing for a public check"),
                  HasSubstr("the check \"a\" expects nothing")));
  EXPECT_THAT(Warnings(std::string(kTop) + std::string(kService) +
                       Check("{ get: /, expect: { status: 200 } }")),
              IsEmpty());
}

TEST(CompilerTest, AliasesShareWhatTheyStandFor) {
  const Plan plan = PlanOf(
      {{"assay.yaml",
        std::string(kTop) + std::string(kService) +
            Check("{ post: /, json: &b { a: [ 1 ] } }, { post: /, json: *b "
                  "}")}});
  EXPECT_EQ(plan.checks(0).steps(0).http().json(),
            plan.checks(0).steps(1).http().json());
}

}  // namespace
}  // namespace assay::suite
