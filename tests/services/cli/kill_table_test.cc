#include "services/cli/kill_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace assay::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class KillTableTest : public testing::Test {
 protected:
  KillTableTest() {
    for (const auto& [id, points] :
         std::map<std::string, double>{{"a", 3}, {"b", 5}}) {
      auto* check = plan_.add_checks();
      check->set_id(id);
      check->set_points(points);
    }
    row_.solution.id = "no-lock";
    row_.solution.title = "No | lock";
    row_.solution.earns = {{"a", 3}, {"b", 0}};
  }

  static v1::Run RunOf(double a, double b, const std::string& reason = "") {
    v1::Run run;
    run.set_outcome(v1::Run::OUTCOME_COMPLETED);
    for (const auto& [id, earned] :
         std::map<std::string, double>{{"a", a}, {"b", b}}) {
      auto* check = run.add_checks();
      check->set_check_id(id);
      check->set_earned(earned);
      check->set_verdict(v1::VERDICT_PASSED);
      check->set_reason(reason);
    }
    return run;
  }

  std::string Printed(const KillRow& row) {
    PrintKillRow(console_, row, 10);
    return out_.str();
  }

  plan::v1::Plan plan_;
  KillRow row_;
  std::ostringstream out_;
  std::ostringstream err_;
  Console console_{out_, err_, Looks{}};
};

TEST_F(KillTableTest, AsDeclaredIsFine) {
  AddRun(plan_, RunOf(3, 0), row_);
  EXPECT_TRUE(row_.ok());
  EXPECT_THAT(row_.lost, ElementsAre("b"));
  EXPECT_EQ(Printed(row_), "✓ no-lock           3/8  1 of 1  b\n");
}

// Nineteen times of twenty is not good enough, whichever time it was.
TEST_F(KillTableTest, OneRunOfManyThatDiffersIsToldWithItsReason) {
  AddRun(plan_, RunOf(3, 0), row_);
  AddRun(plan_, RunOf(3, 5), row_);
  AddRun(plan_, RunOf(0, 0, "status: expected 200\nfound 500"), row_);
  EXPECT_FALSE(row_.ok());
  EXPECT_EQ(row_.as_declared, 1);
  EXPECT_EQ(Printed(row_),
            "✗ no-lock           3/8  1 of 3  b\n"
            "    b: earned 5, declared 0 (once)\n"
            "    a: earned 0, declared 3 (once)\n"
            "      status: expected 200 found 500\n");
}

TEST_F(KillTableTest, ARunThatEndedEarlyEarnsNothing) {
  v1::Run run;
  run.set_outcome(v1::Run::OUTCOME_BUILD_FAILED);
  run.set_outcome_reason("the build exited with code 2");
  AddRun(plan_, run, row_);
  EXPECT_FALSE(row_.ok());
  EXPECT_THAT(Printed(row_), HasSubstr("a: earned 0, declared 3 (once)\n"
                                       "      the build exited with code 2\n"));
}

TEST_F(KillTableTest, NothingRunIsNothingShown) {
  EXPECT_FALSE(row_.ok());
  EXPECT_FALSE(KillTable{}.ok());
}

TEST_F(KillTableTest, OurFaultIsToldApart) {
  v1::Run run = RunOf(3, 0);
  EXPECT_EQ(OurFault(run), "");
  run.mutable_checks(1)->set_verdict(v1::VERDICT_INCONCLUSIVE);
  run.mutable_checks(1)->set_reason("the host stood still");
  EXPECT_EQ(OurFault(run), "b: the host stood still");
  row_.problem = OurFault(run);
  AddRun(plan_, RunOf(3, 0), row_);
  EXPECT_FALSE(row_.ok());
}

TEST_F(KillTableTest, MarkdownIsTheSameHoweverOftenItWasRun) {
  AddRun(plan_, RunOf(3, 0), row_);
  const std::string once = KillTableMarkdown({"Shop", {row_}, {}});
  AddRun(plan_, RunOf(3, 0), row_);
  EXPECT_EQ(KillTableMarkdown({"Shop", {row_}, {}}), once);
  EXPECT_THAT(once, HasSubstr("| `no-lock` | No \\| lock | 3 / 8 | `b` |\n"));
  EXPECT_THAT(once, Not(HasSubstr("not as declared")));
}

TEST_F(KillTableTest, ChecksThatNothingGuardsAreNamed) {
  AddRun(plan_, RunOf(3, 0), row_);
  PrintKillEnd(console_, {"Shop", {row_}, {"a"}});
  EXPECT_THAT(out_.str(), HasSubstr("a: no variant loses it"));
  EXPECT_THAT(out_.str(), HasSubstr("1 of 1 solutions scored as declared"));
}

}  // namespace
}  // namespace assay::cli
