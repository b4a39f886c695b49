#include "services/overview/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "services/rpc/proto_time.h"

namespace assay::overview {
namespace {

using std::chrono::microseconds;

constexpr int kBins = 10;

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

}  // namespace

std::optional<microseconds> Percentile(std::vector<microseconds>& values,
                                       int percent) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);
  const std::size_t rank =
      (values.size() * static_cast<std::size_t>(percent) + 99) / 100;
  return values[std::max<std::size_t>(rank, 1) - 1];
}

std::optional<double> Correlation(std::span<const double> xs,
                                  std::span<const double> ys) {
  if (xs.empty()) return std::nullopt;
  const double mean_x = Mean(xs);
  const double mean_y = Mean(ys);
  double together = 0;
  double square_x = 0;
  double square_y = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const double x = xs[i] - mean_x;
    const double y = ys[i] - mean_y;
    together += x * y;
    square_x += x * x;
    square_y += y * y;
  }
  // Differences of rounding are no variation.
  constexpr double kNothing = 1e-9;
  if (square_x < kNothing || square_y < kNothing) return std::nullopt;
  return together / std::sqrt(square_x * square_y);
}

void Statistics::Add(const storage::ScoredRow& run) {
  const double max = run.score.max();
  percents_.push_back(max > 0 ? 100 * run.score.earned() / max : 0);
  const double all = run.score.earned() + run.score.bonus();
  for (const v1::CheckResult& result : run.results) {
    auto [it, added] = checks_.try_emplace(result.check_id());
    Check& check = it->second;
    if (added) {
      order_.push_back(result.check_id());
      check.proto.set_check_id(result.check_id());
      check.proto.set_title(result.title());
      check.proto.set_points(result.points());
      check.proto.set_hidden(result.hidden());
      check.proto.set_bonus(result.bonus());
    }
    const bool passed = result.verdict() == v1::VERDICT_PASSED;
    const bool failed = result.verdict() == v1::VERDICT_FAILED;
    check.proto.set_passed(check.proto.passed() + (passed ? 1 : 0));
    check.proto.set_failed(check.proto.failed() + (failed ? 1 : 0));
    check.proto.set_other(check.proto.other() + (passed || failed ? 0 : 1));
    check.durations.push_back(rpc::FromProto(result.duration()));
    check.outcomes.push_back({passed ? 1.0 : 0.0, all - result.earned()});
  }
}

void Statistics::WriteScores(v1::GetStatisticsResponse& response) {
  response.set_scored(static_cast<std::int32_t>(percents_.size()));
  for (int i = 0; i < kBins; ++i) {
    auto* bin = response.add_scores();
    bin->set_from_percent(100.0 * i / kBins);
    bin->set_to_percent(100.0 * (i + 1) / kBins);
  }
  if (percents_.empty()) return;
  for (const double percent : percents_) {
    const int place = static_cast<int>(percent * kBins / 100);
    auto* bin = response.mutable_scores(std::clamp(place, 0, kBins - 1));
    bin->set_count(bin->count() + 1);
  }
  response.set_mean_percent(Mean(percents_));
  std::ranges::sort(percents_);
  const std::size_t half = percents_.size() / 2;
  response.set_median_percent(
      percents_.size() % 2 == 1 ? percents_[half]
                                : (percents_[half - 1] + percents_[half]) / 2);
}

void Statistics::Write(v1::GetStatisticsResponse& response) {
  WriteScores(response);
  for (const std::string& id : order_) {
    Check& check = checks_.at(id);
    if (const auto median = Percentile(check.durations, 50))
      *check.proto.mutable_median_duration() = rpc::ToProto(*median);
    if (check.outcomes.size() >= kMinScored) {
      std::vector<double> passed;
      std::vector<double> rest;
      for (const Outcome& outcome : check.outcomes) {
        passed.push_back(outcome.passed);
        rest.push_back(outcome.rest);
      }
      if (const auto value = Correlation(passed, rest))
        check.proto.set_discrimination(*value);
    }
    *response.add_checks() = check.proto;
  }
}

v1::GetStatisticsResponse::Waits SumUpWaits(
    const std::vector<storage::WaitRow>& waits, Clock::TimePoint now) {
  std::vector<microseconds> decided;
  std::vector<microseconds> open;
  for (const storage::WaitRow& wait : waits) {
    const auto took = std::chrono::duration_cast<microseconds>(
        wait.decide_time.value_or(now) - wait.submit_time);
    (wait.decide_time ? decided : open).push_back(took);
  }
  v1::GetStatisticsResponse::Waits proto;
  proto.set_count(static_cast<std::int32_t>(decided.size()));
  proto.set_open(static_cast<std::int32_t>(open.size()));
  if (const auto value = Percentile(decided, 50))
    *proto.mutable_median() = rpc::ToProto(*value);
  if (const auto value = Percentile(decided, 90))
    *proto.mutable_p90() = rpc::ToProto(*value);
  if (const auto value = Percentile(decided, 100))
    *proto.mutable_longest() = rpc::ToProto(*value);
  if (const auto value = Percentile(open, 100))
    *proto.mutable_longest_open() = rpc::ToProto(*value);
  return proto;
}

}  // namespace assay::overview
