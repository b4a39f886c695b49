#include "services/overview/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/rpc/proto_time.h"

namespace assay::overview {
namespace {

using std::chrono::microseconds;
using ::testing::DoubleNear;

v1::CheckResult Result(const char* id, double points, bool passed) {
  v1::CheckResult result;
  result.set_check_id(id);
  result.set_points(points);
  result.set_earned(passed ? points : 0);
  result.set_verdict(passed ? v1::VERDICT_PASSED : v1::VERDICT_FAILED);
  return result;
}

storage::ScoredRow Graded(std::vector<v1::CheckResult> results) {
  storage::ScoredRow run;
  for (const auto& result : results) {
    run.score.set_earned(run.score.earned() + result.earned());
    run.score.set_max(run.score.max() + result.points());
  }
  run.results = std::move(results);
  return run;
}

v1::GetStatisticsResponse Of(const std::vector<storage::ScoredRow>& runs) {
  Statistics statistics;
  for (const auto& run : runs) statistics.Add(run);
  v1::GetStatisticsResponse response;
  statistics.Write(response);
  return response;
}

TEST(StatisticsTest, ACorrelationIsPearsons) {
  const double xs[] = {1, 2, 3, 4};
  const double ys[] = {2, 4, 6, 8};
  const double back[] = {8, 6, 4, 2};
  const double bent[] = {1, 3, 2, 4};
  const double same[] = {5, 5, 5, 5};
  EXPECT_THAT(*Correlation(xs, ys), DoubleNear(1, 1e-12));
  EXPECT_THAT(*Correlation(xs, back), DoubleNear(-1, 1e-12));
  EXPECT_THAT(*Correlation(xs, bent), DoubleNear(0.8, 1e-12));
  EXPECT_FALSE(Correlation(xs, same));
  EXPECT_FALSE(Correlation({}, {}));
}

TEST(StatisticsTest, PercentilesAreByNearestRank) {
  std::vector<microseconds> none;
  EXPECT_FALSE(Percentile(none, 50));
  std::vector<microseconds> some;
  for (int i = 10; i >= 1; --i) some.emplace_back(i);
  EXPECT_EQ(Percentile(some, 50), microseconds(5));
  EXPECT_EQ(Percentile(some, 90), microseconds(9));
  EXPECT_EQ(Percentile(some, 100), microseconds(10));
}

TEST(StatisticsTest, FullMarksStandInTheLastBin) {
  const auto response =
      Of({Graded({Result("a", 10, true)}), Graded({Result("a", 10, false)})});
  ASSERT_EQ(response.scores_size(), 10);
  EXPECT_EQ(response.scores(0).count(), 1);
  EXPECT_EQ(response.scores(9).count(), 1);
  EXPECT_EQ(response.scored(), 2);
  EXPECT_EQ(response.mean_percent(), 50);
  EXPECT_EQ(response.median_percent(), 50);
}

// "tells" is passed by whoever passes the other one, "noise" by anybody.
TEST(StatisticsTest, DiscriminationTellsAUsefulCheckFromNoise) {
  std::vector<storage::ScoredRow> runs;
  for (int i = 0; i < 8; ++i)
    runs.push_back(
        Graded({Result("tells", 10, i < 4), Result("hard", 30, i < 4),
                Result("noise", 10, i % 2 == 0), Result("all", 5, true)}));
  const auto response = Of(runs);
  ASSERT_EQ(response.checks_size(), 4);
  EXPECT_GT(response.checks(0).discrimination(), 0.9);
  EXPECT_THAT(response.checks(2).discrimination(), DoubleNear(0, 1e-9));
  EXPECT_FALSE(response.checks(3).has_discrimination());
  EXPECT_EQ(response.checks(0).passed(), 4);
  EXPECT_EQ(response.checks(0).failed(), 4);
}

TEST(StatisticsTest, FourRunsSayNothingOfDiscrimination) {
  std::vector<storage::ScoredRow> runs;
  for (int i = 0; i < 4; ++i)
    runs.push_back(Graded({Result("a", 1, i < 2), Result("b", 1, i < 2)}));
  EXPECT_FALSE(Of(runs).checks(0).has_discrimination());
}

TEST(StatisticsTest, WhatIsNotDecidedWaitsUntilNow) {
  const Clock::TimePoint start{std::chrono::hours(1000)};
  const auto waits = SumUpWaits({{start, start + std::chrono::hours(2)},
                                 {start, start + std::chrono::hours(4)},
                                 {start + std::chrono::hours(1), std::nullopt}},
                                start + std::chrono::hours(10));
  EXPECT_EQ(waits.count(), 2);
  EXPECT_EQ(waits.median().seconds(), 2 * 3600);
  EXPECT_EQ(waits.longest().seconds(), 4 * 3600);
  EXPECT_EQ(waits.open(), 1);
  EXPECT_EQ(waits.longest_open().seconds(), 9 * 3600);
}

}  // namespace
}  // namespace assay::overview
