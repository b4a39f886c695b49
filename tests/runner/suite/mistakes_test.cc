// What an author is told. Every kind of mistake has its place and its sentence.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/suite/compiler.h"
#include "tests/runner/suite/wrong_suites.h"
#include "tests/testing/corpora.h"

namespace assay::suite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Mistake {
  const char* name;
  // The part of the suite that is wrong.
  std::string text;
  // Where and what; the whole list is compared.
  std::vector<std::string> said;
};

class MistakesTest : public ::testing::TestWithParam<Mistake> {};

TEST_P(MistakesTest, IsToldWhereAndWhat) {
  EXPECT_EQ(Said(GetParam().text), GetParam().said) << GetParam().text;
}

// What a failing test prints of its parameter.
void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

std::string NameOf(const ::testing::TestParamInfo<Mistake>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, MistakesTest,
    ::testing::Values(
        Mistake{"NotYaml",
                "version: 1\nname: a: b\n",
                {"2:8: not YAML: found \": \" inside a value; quote the value, "
                 "or check the indentation"}},
        Mistake{"Tab",
                "version: 1\nservice:\n\tstart: x\n",
                {"3:1: not YAML: found a tab in the indentation; YAML takes "
                 "spaces only"}},
        Mistake{"Unclosed",
                "version: 1\nlimits: { run: 1m\nname: x\n",
                {"3:5: not YAML: found no } for the { before"}},
        Mistake{"Empty", "# nothing\n", {"1:1: the file is empty"}},
        Mistake{"DuplicateKey",
                WithPart("limits: { run: 1m, run: 2m }"),
                {"4:20: duplicate key \"run\"; the first is in line 4"}},
        Mistake{"BooleanKey",
                WithStep("{ post: /, json: { on: 1 } }"),
                {"8:26: the key on is a boolean to YAML 1.1 readers; write "
                 "\"on\" with quotes"}},
        Mistake{"MergeKey",
                WithPart("vars: { a: &a { b: 1 }, c: { <<: *a } }"),
                {"4:30: merge keys (<<) are not part of the language; use a "
                 "flow, or an alias for the whole value"}},
        Mistake{"Tag",
                WithPart("vars: { a: !!python/object 1 }"),
                {"4:12: found the tag \"tag:yaml.org,2002:python/object\"; "
                 "suites use no YAML tags: quote a value that should be a "
                 "string"}},
        Mistake{"UnquotedTemplate",
                WithStep("{ post: /, json: { a: {{token}} } }"),
                {"8:30: found a mapping as a key; a value that is a template "
                 "needs quotes: \"{{name}}\""}},
        Mistake{"SecondDocument",
                WithPart("---\nname: y"),
                {"4:1: found a second document; a suite is one YAML document, "
                 "without \"---\" lines after the first"}},
        Mistake{"NotUtf8",
                "version: 1\nname: \xff\n",
                {"2:7: found bytes that are not UTF-8"}},
        Mistake{"AliasBomb",
                "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
                "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
                {"6:11: holds more than 200000 values once its aliases are "
                 "expanded"}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Keys, MistakesTest,
    ::testing::Values(
        Mistake{"UnknownKeyInAStep",
                WithStep("{ get: /, exepct: { status: 200 } }"),
                {"8:17: unknown key \"exepct\" in an HTTP step; did you mean "
                 "\"expect\"?"}},
        Mistake{"UnknownKeyWithoutANearOne",
                WithStep("{ wait: 1s, zzzzzz: 1 }"),
                {"8:19: unknown key \"zzzzzz\" in a wait step; its keys are "
                 "wait, title and timeout"}},
        Mistake{"MissingKey",
                WithCheck("id: a, points: 1, visibility: public, steps: [ { "
                          "get: / } ]"),
                {"5:5: a check needs the key \"title\""}},
        Mistake{"MissingVisibility",
                WithCheck("id: a, title: t, points: 1, steps: [ { get: / } ]"),
                {"5:5: a check needs the key \"visibility\" (public or "
                 "hidden), here or for the whole file"}},
        Mistake{"NoVerb",
                WithStep("{ expect: { status: 200 } }"),
                {"8:7: a step needs one verb: get, post, put, patch, delete, "
                 "head, options, request, graphql, sql, redis, use, load, "
                 "burst, fault, heal, restart, trace, logs, metrics, command, "
                 "websocket, events, grpc, mutants or wait"}},
        Mistake{"MisspelledVerb",
                WithStep("{ psot: /, json: 1 }"),
                {"8:9: unknown verb \"psot\"; did you mean \"post\"?"}},
        Mistake{"TwoVerbs",
                WithStep("{ get: /, sql: select 1 }"),
                {"8:17: a step has exactly one verb, found \"get\" and "
                 "\"sql\"; start a new step with \"- \""}},
        Mistake{"TwoBodies",
                WithStep("{ post: /, json: 1, text: x }"),
                {"8:27: found both \"json\" and \"text\"; an HTTP step takes "
                 "one of json, text, file, form or multipart"}},
        Mistake{"NoSource",
                WithStep("{ get: /, capture: { a: { secret: true } } }"),
                {"8:31: a capture needs one of jsonpath, header, cookie, "
                 "regex, status or body"}},
        Mistake{"NotAMapping",
                WithPart("limits: 5"),
                {"4:9: limits: expected limits, found the number 5"}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Values, MistakesTest,
    ::testing::Values(
        Mistake{"NoUnit",
                WithPart("limits: { run: 30 }"),
                {"4:16: run: expected a duration with its unit (us, ms, s, m, "
                 "h, d), like 80ms or 1m30s, found \"30\""}},
        Mistake{"WrongUnit",
                WithPart("limits: { memory: 64mb }"),
                {"4:19: memory: expected a size with its unit (B, KiB, MiB, "
                 "GiB, kB, MB, GB), like 64MiB, found \"64mb\""}},
        Mistake{"OldBoolean",
                WithStep("{ get: /, cookies: yes }"),
                {"8:26: cookies: expected true or false, found \"yes\"; YAML "
                 "1.2 has no other booleans"}},
        Mistake{"Choice",
                WithPart("sidecars: { db: { kind: postgresql } }"),
                {"4:25: kind: expected postgres or redis, found "
                 "\"postgresql\"; did you mean \"postgres\"?"}},
        Mistake{"OutOfRange",
                WithStep("{ get: /, redirects: 21 }"),
                {"8:28: redirects: expected a whole number from 0 to 20, found "
                 "the number 21"}},
        Mistake{"Octal",
                WithStep("{ post: /, json: { zip: 01234 } }"),
                {"8:31: the number 01234 is read as decimal by some YAML "
                 "readers and as octal by others; quote it, or drop the "
                 "zeros"}},
        Mistake{"Path",
                WithStep("{ get: orders }"),
                {"8:14: get: expected a path that starts with \"/\", found "
                 "\"orders\""}},
        Mistake{"Status",
                WithStep("{ get: /, expect: { status: 2000 } }"),
                {"8:35: status: expected a status like 201, or a class like "
                 "5xx, found the number 2000"}},
        Mistake{"Regex",
                WithStep("{ get: /, expect: { body: { matches: \"(\" } } }"),
                {"8:44: matches: not an RE2 pattern: missing ): ("}},
        Mistake{"JsonPath",
                WithStep("{ get: /, expect: { json: { \"$.a[\": 1 } } }"),
                {"8:35: not a JSONPath: expected a name in quotes, an index, a "
                 "slice, * or a filter, at character 5 of $.a["}},
        Mistake{"SeveralNodes",
                WithStep("{ get: /, expect: { json: { \"$.a[*]\": 1 } } }"),
                {"8:45: $.a[*] can yield several nodes, so that it takes "
                 "count, any, all, contains or exists: { any: ... }, found the "
                 "number 1"}},
        Mistake{"UnknownMatcher",
                WithStep("{ get: /, expect: { body: { contians: a } } }"),
                {"8:35: unknown matcher \"contians\"; did you mean "
                 "\"contains\"?"}},
        Mistake{"ObjectInsteadOfMatchers",
                WithStep("{ get: /, expect: { json: { $.a: { xyz: 1 } } } }"),
                {"8:42: unknown matcher \"xyz\"; to compare with an object "
                 "write { eq: { ... } }"}},
        Mistake{"CountOfAnArray",
                WithStep("{ get: /, expect: { json: { $.a: { count: 1 } } } }"),
                {"8:42: \"count\" does not apply to a value; the length of an "
                 "array is \"len\""}},
        Mistake{"MatcherOfAnotherSubject",
                WithStep("{ get: /, expect: { status: { starts: 2 } } }"),
                {"8:37: \"starts\" does not apply to a status, which takes eq, "
                 "ne, gt, gte, lt, lte, in or not"}},
        Mistake{"MissingFile",
                WithStep("{ get: /, expect: { schema: schemas/ordr.json } }"),
                {"8:35: schema: there is no file \"schemas/ordr.json\" in the "
                 "suite's folder; did you mean \"schemas/order.json\"?"}},
        Mistake{"FileOutside",
                WithStep("{ post: /, file: ../../etc/passwd }"),
                {"8:24: file: expected a path inside the suite's folder, found "
                 "\"../../etc/passwd\""}},
        Mistake{"BrokenSchema",
                WithStep("{ get: /, expect: { schema: schemas/broken.json } }"),
                {"8:35: schema schemas/broken.json: schemas/broken.json: not "
                 "JSON at line 1, column 8: \":\""}},
        Mistake{"SchemaLeadsNowhere",
                WithStep("{ get: /, expect: { schema: schemas/lost.json } }"),
                {"8:35: schema schemas/lost.json: there is no schema "
                 "\"schemas/nowhere.json\" in the suite's folder"}},
        Mistake{"FigureWithoutABound",
                WithStep("{ load: { rate: 1/s, for: 1s, request: { get: / }, "
                         "expect: { p99: 80ms } } }"),
                {"8:73: p99: expected a bound, like { lte: 80ms }, found "
                 "\"80ms\""}},
        Mistake{"ReplyOfAService",
                WithStep("{ fault: { target: service, error: 503 } }"),
                {"8:42: error: only upstreams and tapped PostgreSQL sidecars "
                 "can be made to answer with an error; \"service\" can be "
                 "refused, reset, cut, slowed, paused and killed"}},
        Mistake{"ReplyOfRedis",
                WithStep("{ fault: { target: cache, error: oops } }"),
                {"8:40: error: only upstreams and tapped PostgreSQL sidecars "
                 "can be made to answer with an error; \"cache\" can be "
                 "refused, reset, cut, slowed, paused and killed"}},
        Mistake{"ReplyThatIsNoSqlstate",
                WithStep("{ fault: { target: db, error: 503 } }"),
                {"8:37: error: a PostgreSQL sidecar answers with an SQLSTATE "
                 "of five characters, such as \"53300\", found the number "
                 "503"}},
        Mistake{"HistoryWithoutTraffic",
                WithStep("{ restart: service, history: { id: $.id, sql: select "
                         "id from t, target: db } }"),
                {"8:36: history: without \"traffic\", nothing was acknowledged "
                 "that could be lost"}},
        Mistake{"NothingUnderWay",
                WithStep("{ restart: service, traffic: { times: 5, "
                         "acknowledged: 5, request: { post: / } } }"),
                {"8:62: acknowledged: nothing would be under way any more; it "
                 "has to be less than times, 5"}},
        Mistake{"CalibrationBehindAFault",
                WithStep("{ fault: { target: db, latency: 1ms } }, { load: { "
                         "rate: 1/s, for: 1s, request: { get: / }, calibrate: "
                         "{ reference: sql/, at: 3ms } } }"),
                {"8:110: calibrate: the reference is measured undisturbed; "
                 "move \"fault on db\" behind the load"}},
        Mistake{"Header",
                WithStep("{ get: /, headers: { \"a b\": c } }"),
                {"8:28: \"a b\" is no name of a header"}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Names, MistakesTest,
    ::testing::Values(
        Mistake{"UnknownVariable",
                WithStep("{ use: login }, { get: /, auth: { bearer: "
                         "\"{{tokn}}\" } }"),
                {"8:49: nothing defines {{tokn}} before this point; did you "
                 "mean \"token\"?"}},
        Mistake{"UsedBeforeItIsCaptured",
                WithStep("{ get: \"/{{id}}\", capture: { id: $.id } }"),
                {"8:14: nothing defines {{id}} before this point"}},
        Mistake{"MalformedTemplate",
                WithStep("{ get: \"/{{a b}}\" }"),
                {"8:14: get: the template {{a b}} is not a name such as "
                 "{{token}} or {{secrets.jwt}}"}},
        Mistake{"UnclosedTemplate",
                WithStep("{ post: /, text: \"{{a\" }"),
                {"8:24: text: found {{ without }} in \"{{a\"; write {{\"{{\"}} "
                 "for two braces"}},
        Mistake{"UnknownSecret",
                WithPart("secrets: { jwt: { generate: hex32 } }\nvars: { a: "
                         "\"{{secrets.jwr}}\" }"),
                {"5:12: there is no {{secrets.jwr}}; did you mean \"jwt\"?"}},
        Mistake{"UnknownSidecar",
                WithStep("{ sql: select 1, target: dbb }"),
                {"8:32: target: there is no postgres sidecar \"dbb\"; did you "
                 "mean \"db\"?"}},
        Mistake{"UnknownFlow",
                WithStep("{ use: logn }"),
                {"8:14: there is no flow \"logn\"; did you mean \"login\"?"}},
        Mistake{"EndlessFlow",
                WithPart("flows: { a: [ { use: b } ], b: [ { use: a } ] }\n"
                         "visibility: public") +
                    "  - { id: b, title: t, points: 1, steps: [ { use: a } ] "
                    "}\n",
                {"4:41: the flow \"a\" runs itself, so that it never ends"}},
        Mistake{"CaseWithoutAValue",
                WithCheck("id: a, title: t, points: 1, visibility: public,\n"
                          "cases: [ { body: 1 }, { bdy: 2 } ],\n"
                          "steps: [ { post: /, json: \"{{case.body}}\" } ]"),
                {"6:23: this case has no value \"body\", which {{case.body}} "
                 "in line 7 takes; did you mean \"bdy\"?"}},
        Mistake{"NoCases",
                WithStep("{ post: /, json: \"{{case.body}}\" }"),
                {"8:24: {{case.body}} is used where there are no cases"}},
        Mistake{"UnknownNeed",
                WithCheck("id: a, title: t, points: 1, visibility: public, "
                          "needs: b, steps: [ { get: / } ]"),
                {"5:62: there is no check \"b\"; did you mean \"a\"?"}},
        Mistake{"NeedsItself",
                WithCheck("id: a, title: t, points: 1, visibility: public, "
                          "needs: a, steps: [ { get: / } ]"),
                {"5:62: the check \"a\" has to run before this one; checks run "
                 "in the order of the file"}},
        Mistake{"SameId",
                WithCheck("id: a, title: t, points: 1, visibility: public, "
                          "steps: [ { get: / } ] }\n  - { id: a, title: t, "
                          "points: 1, visibility: public, steps: [ { get: / } "
                          "]"),
                {"6:11: the id \"a\" is taken by the check in line 5"}},
        Mistake{"ReservedName",
                WithStep("{ get: /, capture: { uuid: $.id } }"),
                {"8:28: {{uuid}} is built in; choose another name"}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Sense, MistakesTest,
    ::testing::Values(
        Mistake{"SumOfABurst",
                WithStep("{ burst: { times: 50, request: { get: / }, expect: { "
                         "statuses: { 201: 10 } } } }"),
                {"8:70: the statuses add up to 10 answers, and the burst has "
                 "50"}},
        Mistake{"ArgumentsOfAStatement",
                WithStep("{ sql: \"select $1, $2\", args: [ 1 ] }"),
                {"8:37: the statement takes 2 arguments, found 1"}},
        Mistake{"TemplateInSql",
                WithStep("{ sql: \"select '{{uuid}}'\" }"),
                {"8:14: templates do not work inside SQL; write $1 and pass "
                 "the value in \"args\""}},
        Mistake{"ClaimedPoints",
                WithCheck("id: a, title: t, points: 3, visibility: public, "
                          "steps: [ { command: make test } ]"),
                {"5:32: what a command in the candidate's repository reports "
                 "is claimed and earns 0 points; use \"in: suite\" with files "
                 "of your own, or \"mutants\""}},
        Mistake{"LongerThanItsCheck",
                WithStep("{ get: /, eventually: { within: 40s } }"),
                {"8:7: this step takes 40s and its check ends after 30s; raise "
                 "the check's \"timeout\""}},
        Mistake{"CaptureOfSeveral",
                WithStep("{ get: /, capture: { a: \"$.a[*]\" } }"),
                {"8:31: a capture takes one value, and $.a[*] can yield "
                 "several"}},
        Mistake{"PortsThatClash",
                WithPart("sidecars: { a: { kind: postgres }, b: { kind: "
                         "postgres } }"),
                {"4:36: port 5432 of sidecar b is taken by sidecar a"}},
        Mistake{"HiddenInPublic",
                WithPart("visibility: public\ninclude: [ hidden.yaml ]"),
                {"5:12: a public file may not include \"hidden.yaml\", which "
                 "is hidden"}},
        Mistake{"NoChecks",
                "version: 1\nname: x\nservice: { start: ./run }\n",
                {"1:1: the suite has no checks, so that nothing could pass"}},
        Mistake{"NoService",
                "version: 1\nname: x\nchecks:\n  - { id: a, title: t, points: "
                "1, visibility: public, steps: [ { get: / } ] }\n",
                {"4:64: the suite has no service that this step could talk "
                 "to"}},
        Mistake{"PartialTheWrongWay",
                WithStep("{ load: { rate: 1/s, for: 1s, request: { get: / }, "
                         "partial: { metric: p99, full: 400ms, zero: 80ms } } "
                         "}"),
                {"8:67: partial: \"full\" has to be better than \"zero\""}}),
    NameOf);

TEST(MistakesTest, MoreThanAreShownAreCounted) {
  std::string text = "version: 1\nname: x\nservice: { start: ./run }\n";
  for (int i = 0; i < 25; ++i) text += "k" + std::to_string(i) + "x: 1\n";
  const auto said = Said(text + "checks: [ { use: x } ]\n");
  ASSERT_EQ(said.size(), kMaxDiagnostics);
  EXPECT_THAT(said.front(), Not(HasSubstr("not shown")));
  EXPECT_THAT(said.back(), HasSubstr(" more in this file are not shown"));
}

TEST(MistakesTest, AllAreReportedAtOnceInTheOrderOfTheFile) {
  EXPECT_THAT(
      Said("version: 2\n"
           "nmae: x\n"
           "service: { start: ./run, port: 80 }\n"
           "checks:\n"
           "  - id: A\n"
           "    steps:\n"
           "      - { get: /, expect: { status: abc, jsn: 1 } }\n"),
      ElementsAre(
          "1:1: a suite needs the key \"name\"",
          "1:10: version: expected a whole number 1, found the number 2",
          "2:1: unknown key \"nmae\" in a suite; did you mean \"name\"?",
          "3:32: port: expected a whole number from 1024 to 65535, found the "
          "number 80",
          "5:5: a check needs the key \"points\"",
          "5:5: a check needs the key \"title\"",
          "5:5: a check needs the key \"visibility\" (public or hidden), here "
          "or for the whole file",
          "5:9: id: expected an id (lower-case letters, digits and -), found "
          "\"A\"",
          "7:37: status: expected a status like 201, or a class like 5xx, "
          "found \"abc\"",
          "7:42: unknown key \"jsn\" in what an HTTP step expects; did you "
          "mean \"json\"?"));
}

TEST(MistakesTest, TheFirstTwentyAreReported) {
  std::string steps;
  for (int i = 0; i < 30; ++i) steps += "{ gett: / },";
  const std::vector<std::string> said = Said(WithStep(steps));
  ASSERT_EQ(said.size(), 20u);
  EXPECT_EQ(said[0], "8:9: unknown verb \"gett\"; did you mean \"get\"?");
}

// An author sees all of this at once. What it should say is in expected.txt.
TEST(MistakesTest, ThirtyKindsOfMistakeHaveThirtyPlacesAndSentences) {
  const auto folder =
      testing::SourceRoot() / "tests/runner/suite/testdata/thirty";
  const auto compiled =
      Compile({{"assay.yaml", testing::ReadFile(folder / "assay.yaml")},
               {"more.yaml", testing::ReadFile(folder / "more.yaml")},
               {"sql/seed.sql", "select 1;"}});
  ASSERT_FALSE(compiled.has_value());
  const std::string said = ToText(compiled.error());
  if (std::getenv("ASSAY_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(folder / "expected.txt") << said;
  }
  EXPECT_EQ(said, testing::ReadFile(folder / "expected.txt"));
  EXPECT_GE(compiled.error().size(), 30u);
}

TEST(MistakesTest, StepsThatNeedMoreCellsThanARunHasAreTold) {
  std::string steps;
  for (int i = 0; i < 205; ++i) {
    steps += "{ command: ./t, in: suite },\n      ";
  }
  EXPECT_THAT(
      Said(WithStep(steps)),
      ElementsAre("208:7: with this step `command` and `mutants` need 201 "
                  "cells, and a run has 200 for them; let one command do the "
                  "work of several"));
}

TEST(MistakesTest, TheTextFormNamesTheFile) {
  const auto compiled = Compile({{"assay.yaml", "a: &a [*a]\n"}});
  ASSERT_FALSE(compiled.has_value());
  EXPECT_EQ(ToText(compiled.error()),
            "assay.yaml:1:8: error: this alias stands inside its own "
            "anchor\n");
  EXPECT_EQ(ToText(Compile({}).error()),
            "assay.yaml: error: there is no assay.yaml in the suite's folder; "
            "\"assay suite init\" writes one\n");
}

TEST(MistakesTest, ColumnsCountCharactersNotBytes) {
  EXPECT_THAT(Said(WithStep("{ get: /, title: \"äöü\", exepct: 1 }")),
              ElementsAre("8:31: unknown key \"exepct\" in an HTTP step; did "
                          "you mean \"expect\"?"));
}

TEST(MistakesTest, AMistakeInADefinitionIsNotRepeatedForItsUses) {
  EXPECT_THAT(
      Said(WithStep("{ get: /, capture: { id: nowhere } }, { get: "
                    "\"/{{id}}\" }")),
      ElementsAre("8:32: id: not a JSONPath: a JSONPath starts with $, at "
                  "character 1 of nowhere"));
}

TEST(MistakesTest, DepthIsBounded) {
  std::string deep = "a: ";
  for (int i = 0; i < 10'000; ++i) deep += "[";
  const auto compiled = Compile({{"assay.yaml", deep}});
  ASSERT_FALSE(compiled.has_value());
  EXPECT_EQ(compiled.error()[0].message, "nested more than 64 levels deep");
}

}  // namespace
}  // namespace assay::suite
