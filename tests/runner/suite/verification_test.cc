// verify.yaml, and what of a suite a candidate may have.

#include "runner/suite/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runner/suite/compiler.h"

namespace assay::suite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kSuite = R"(
version: 1
name: Shop
service: { start: ./run }
sidecars: { db: { kind: postgres, seed: [ seed.sql ] } }
secrets:
  shown: { generate: hex32 }
  unshown: { generate: hex32 }
vars: { known: a, unknown: WHISPERED-VAR }
flows:
  login: [ { post: "/{{known}}" } ]
  whispered: [ { post: /whispered, json: "{{unknown}}" } ]
checks:
  - id: open
    # A word that is also a hidden flow's name.
    title: whispered
    points: 3
    visibility: public
    needs: open-too
    steps:
      - use: login
      - { get: /, headers: { a: "{{secrets.shown}}" }, expect: { schema: open.json } }
  - id: secret-check
    title: WHISPERED-TITLE
    points: 5
    visibility: hidden
    cases: [ { name: WHISPERED-CASE } ]
    steps:
      - use: whispered
      - { get: "/{{secrets.unshown}}", expect: { schema: whispered.json, body: WHISPERED-BODY } }
      - { command: "check WHISPERED-COMMAND", in: suite, files: [ whispered.sh ] }
  - id: own-tests
    title: Their own tests
    points: 0
    visibility: public
    steps: [ { command: make test } ]
)";

plan::v1::Plan PlanOf(std::string text, std::string_view drop = "") {
  if (const auto at = text.find(drop); !drop.empty() && at != text.npos) {
    text.erase(at, drop.size());
  }
  const auto compiled = Compile({{"assay.yaml", text},
                                 {"seed.sql", "select 1;"},
                                 {"open.json", "{}"},
                                 {"whispered.json", R"({"title":"WHISPERED"})"},
                                 {"whispered.sh", "echo WHISPERED"}});
  EXPECT_TRUE(compiled.has_value()) << ToText(compiled.error());
  return compiled ? compiled->plan : plan::v1::Plan();
}

plan::v1::Plan ThePlan() { return PlanOf(kSuite, "    needs: open-too\n"); }

TEST(CandidatePlanTest, HoldsNothingOfHiddenChecks) {
  const plan::v1::Plan candidate = CandidatePlan(ThePlan());
  const std::string text = candidate.DebugString();
  EXPECT_EQ(candidate.checks_size(), 2);
  EXPECT_THAT(text, Not(HasSubstr("WHISPERED")));
  EXPECT_THAT(text, Not(HasSubstr("unshown")));
  EXPECT_THAT(text, Not(HasSubstr("/whispered")));
  EXPECT_THAT(text, Not(HasSubstr("secret-check")));
}

TEST(CandidatePlanTest, KeepsWhatPublicChecksUse) {
  const plan::v1::Plan candidate = CandidatePlan(ThePlan());
  EXPECT_TRUE(candidate.flows().contains("login"));
  EXPECT_TRUE(candidate.vars().contains("known"));
  EXPECT_TRUE(candidate.files().contains("open.json"));
  EXPECT_TRUE(candidate.files().contains("seed.sql"));
  ASSERT_EQ(candidate.secrets_size(), 1);
  EXPECT_EQ(candidate.secrets(0).name(), "shown");
  EXPECT_EQ(candidate.hidden_check_count(), 1);
  EXPECT_EQ(candidate.max_points(), 3);
}

// A worker finds a command by its number among those of the plan it has.
TEST(CandidatePlanTest, NumbersTheCommandsThatAreLeft) {
  const plan::v1::Plan plan = ThePlan();
  EXPECT_EQ(plan.checks(2).steps(0).command().index(), 1);
  EXPECT_EQ(CandidatePlan(plan).checks(1).steps(0).command().index(), 0);
}

constexpr const char* kVerify = R"(
reference: { folder: sound, others: [ more/node ] }
template: { folder: start, earns: { open: 1 } }
variants:
  - { id: one, title: One, patch: one.patch, loses: [ open ] }
  - { id: two, title: Two, overlay: two, loses: { secret-check: 2 } }
)";

const Files kFiles = {{"sound/run", ""}, {"more/node/run", ""},
                      {"start/run", ""}, {"one.patch", ""},
                      {"two/run", ""},   {"suite/assay.yaml", ""}};

std::vector<std::string> Said(const std::string& text) {
  const auto parsed = ParseVerification(text, kFiles, ThePlan());
  std::vector<std::string> said;
  if (parsed) return said;
  for (const Diagnostic& one : parsed.error()) {
    said.push_back(std::to_string(one.line) + ":" + std::to_string(one.column) +
                   ": " + one.message);
  }
  return said;
}

TEST(VerificationTest, SaysWhatEachSolutionHasToEarn) {
  const auto parsed = ParseVerification(kVerify, kFiles, ThePlan());
  ASSERT_TRUE(parsed.has_value()) << ToText(parsed.error());
  const auto& all = parsed->solutions;
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].folder, "sound");
  EXPECT_THAT(all[0].earns, ElementsAre(Pair("open", 3), Pair("own-tests", 0),
                                        Pair("secret-check", 5)));
  EXPECT_EQ(all[1].id, "node");
  EXPECT_EQ(all[1].earns, all[0].earns);
  EXPECT_THAT(all[2].earns, ElementsAre(Pair("open", 1), Pair("own-tests", 0),
                                        Pair("secret-check", 0)));
  EXPECT_EQ(all[3].folder, "sound");
  EXPECT_EQ(all[3].patch, "one.patch");
  EXPECT_EQ(all[3].earns.at("open"), 0);
  EXPECT_EQ(all[4].overlay, "two");
  EXPECT_EQ(all[4].earns.at("secret-check"), 3);
  EXPECT_THAT(parsed->unguarded, ElementsAre());
}

TEST(VerificationTest, NamesChecksThatNothingShowsToFail) {
  const auto parsed = ParseVerification(
      "reference: { folder: sound }\nvariants:\n  - { id: one, title: One, "
      "patch: one.patch, loses: [ open ] }\n",
      kFiles, ThePlan());
  ASSERT_TRUE(parsed.has_value()) << ToText(parsed.error());
  EXPECT_THAT(parsed->unguarded, ElementsAre("secret-check"));
}

TEST(VerificationTest, MistakesHaveTheirPlaceAndNearestWord) {
  EXPECT_THAT(
      Said("reference: { folder: sond }\n"
           "variants:\n"
           "  - { id: one, titel: One, patch: one.patch, loses: [ open ] }\n"),
      ElementsAre("1:22: folder: there is no folder \"sond\" in the "
                  "assignment's folder; did you mean \"sound\"?",
                  "3:5: a broken variant needs the key \"title\"",
                  "3:16: unknown key \"titel\" in a broken variant; did you "
                  "mean \"title\"?"));
  EXPECT_THAT(
      Said("reference: { folder: sound }\n"
           "variants:\n"
           "  - { id: one, title: One, patch: one.patch, loses: [ opne ] }\n"
           "  - { id: one, title: One, patch: one.patch, loses: [] }\n"
           "  - { id: two, title: T, folder: two, loses: { open: 4 } }\n"),
      ElementsAre(
          "3:55: the suite has no check \"opne\"; did you mean \"open\"?",
          "4:11: the id \"one\" is taken",
          "4:53: loses: expected at least one check; a variant that no check "
          "catches shows nothing",
          "5:54: the check \"open\" is worth 3 points, found 4"));
}

}  // namespace
}  // namespace assay::suite
