#include "services/scoring/score.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace assay::scoring {
namespace {

class ScoreTest : public ::testing::Test {
 protected:
  plan::v1::Check& Check(const char* id, double points) {
    plan::v1::Check& check = *plan_.add_checks();
    check.set_id(id);
    check.set_points(points);
    return check;
  }
  void Result(const char* id, v1::Verdict verdict, double earned = 0) {
    v1::CheckResult& result = results_.emplace_back();
    result.set_check_id(id);
    result.set_verdict(verdict);
    result.set_earned(earned);
  }
  v1::Score Score(Scope scope = Scope::kAll) {
    return Compute(plan_, results_, scope);
  }

  plan::v1::Plan plan_;
  std::vector<v1::CheckResult> results_;
};

TEST_F(ScoreTest, OnlyWhatPassedEarns) {
  for (const char* id : {"a", "b", "c", "d", "e"}) Check(id, 10);
  Result("a", v1::VERDICT_PASSED);
  Result("b", v1::VERDICT_FAILED, 10);
  Result("c", v1::VERDICT_TIMED_OUT, 10);
  Result("d", v1::VERDICT_SKIPPED, 10);
  EXPECT_EQ(Score().earned(), 10);
  EXPECT_EQ(Score().max(), 50) << "a check without a result is lost";
}

TEST_F(ScoreTest, NothingRanIsZeroOfEverything) {
  Check("a", 10);
  EXPECT_EQ(Score().earned(), 0);
  EXPECT_EQ(Score().max(), 10);
}

TEST_F(ScoreTest, WhatTheWorkerSaysDoesNotRaiseACheckAboveItsPoints) {
  Check("a", 10).set_partial(true);
  Check("b", 10);
  Check("c", 10).set_partial(true);
  Check("d", 10).set_partial(true);
  Result("a", v1::VERDICT_FAILED, 1e9);
  Result("b", v1::VERDICT_PASSED, 1e9);
  Result("c", v1::VERDICT_FAILED, -5);
  Result("d", v1::VERDICT_FAILED, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(Score().earned(), 20);
}

TEST_F(ScoreTest, PartialChecksEarnAPart) {
  Check("a", 10).set_partial(true);
  Result("a", v1::VERDICT_FAILED, 2.5);
  EXPECT_EQ(Score().earned(), 2.5);
}

TEST_F(ScoreTest, ALoadThatSaysHowPointsFallEarnsAPart) {
  Check("load", 10).set_partial_by_step(true);
  Check("import", 10);
  Result("load", v1::VERDICT_FAILED, 2.5);
  Result("import", v1::VERDICT_FAILED, 7.5);
  EXPECT_EQ(Score().earned(), 2.5);
}

TEST_F(ScoreTest, ACapHoldsBothWays) {
  Check("a", 10).set_cap(4);
  Result("a", v1::VERDICT_PASSED);
  EXPECT_EQ(Score().earned(), 4);
  EXPECT_EQ(Score().max(), 4);
}

TEST_F(ScoreTest, OurFaultIsNeverScored) {
  Check("a", 10);
  Check("b", 20);
  Check("c", 30);
  Result("a", v1::VERDICT_PASSED);
  Result("b", v1::VERDICT_ERRORED);
  Result("c", v1::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Score().earned(), 10);
  EXPECT_EQ(Score().max(), 10);
  EXPECT_EQ(Score().unjudged(), 50);
}

TEST_F(ScoreTest, BonusStandsApart) {
  Check("a", 10);
  Check("b", 5).set_bonus(true);
  Result("b", v1::VERDICT_PASSED);
  EXPECT_EQ(Score().max(), 10);
  EXPECT_EQ(Score().earned(), 0);
  EXPECT_EQ(Score().bonus(), 5);
}

TEST_F(ScoreTest, ClaimsAndStrangersAreWorthNothing) {
  Check("own", 50).set_claimed(true);
  Result("own", v1::VERDICT_PASSED);
  Result("invented", v1::VERDICT_PASSED);
  EXPECT_EQ(Score().earned(), 0);
  EXPECT_EQ(Score().max(), 0);
}

TEST_F(ScoreTest, APushRunCountsPublicChecksOnly) {
  Check("open", 10);
  Check("secret", 20).set_hidden(true);
  Result("open", v1::VERDICT_PASSED);
  Result("secret", v1::VERDICT_PASSED);
  EXPECT_EQ(Score(Scope::kPublic).earned(), 10);
  EXPECT_EQ(Score(Scope::kPublic).max(), 10);
}

TEST_F(ScoreTest, DecimalPointsAddUp) {
  for (const char* id : {"a", "b", "c"}) {
    Check(id, 0.1);
    Result(id, v1::VERDICT_PASSED);
  }
  EXPECT_EQ(Score().earned(), 0.3);
}

// Whatever the verdicts: 0 <= earned <= max, and nothing is lost between
// earned, lost and unjudged.
TEST_F(ScoreTest, StaysWithinItsBoundsForAnyVerdicts) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    plan_.Clear();
    results_.clear();
    double total = 0;
    for (int i = 0; i < 8; ++i) {
      const std::string id(1, static_cast<char>('a' + i));
      plan::v1::Check& check = Check(id.c_str(), random() % 50);
      check.set_partial(random() % 2 == 0);
      total += check.points();
      if (random() % 4 != 0)
        Result(id.c_str(), static_cast<v1::Verdict>(random() % 7),
               static_cast<double>(random() % 100) - 20);
    }
    const v1::Score score = Score();
    ASSERT_GE(score.earned(), 0);
    ASSERT_LE(score.earned(), score.max());
    ASSERT_DOUBLE_EQ(score.max() + score.unjudged(), total);
  }
}

}  // namespace
}  // namespace assay::scoring
