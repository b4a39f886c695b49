#ifndef ASSAY_SERVICES_OVERVIEW_STATISTICS_H_
#define ASSAY_SERVICES_OVERVIEW_STATISTICS_H_

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/v1/overview_service.pb.h"
#include "services/storage/tables/overview.h"

namespace assay::overview {

// The value that `percent` of `values` do not exceed (nearest rank); nothing
// of nothing. Sorts them.
std::optional<std::chrono::microseconds> Percentile(
    std::vector<std::chrono::microseconds>& values, int percent);

// Pearson's correlation; nothing where either side does not vary.
std::optional<double> Correlation(std::span<const double> xs,
                                  std::span<const double> ys);

// Sums up scored runs, of which it keeps a few numbers each.
class Statistics {
 public:
  void Add(const storage::ScoredRow& run);
  // Scores and checks.
  void Write(v1::GetStatisticsResponse& response);

 private:
  struct Outcome {
    double passed = 0;  // 0 or 1
    double rest = 0;    // points of everything else
  };
  struct Check {
    v1::GetStatisticsResponse::Check proto;
    std::vector<Outcome> outcomes;
    std::vector<std::chrono::microseconds> durations;
  };
  // A discrimination of fewer says nothing.
  static constexpr std::size_t kMinScored = 5;

  void WriteScores(v1::GetStatisticsResponse& response);

  std::vector<double> percents_;
  std::vector<std::string> order_;
  std::map<std::string, Check> checks_;
};

// From the submission to the decision, and how long the others wait already.
v1::GetStatisticsResponse::Waits SumUpWaits(
    const std::vector<storage::WaitRow>& waits, Clock::TimePoint now);

}  // namespace assay::overview

#endif  // ASSAY_SERVICES_OVERVIEW_STATISTICS_H_
