#ifndef ASSAY_RUNNER_STEPS_LATENCY_HISTOGRAM_H_
#define ASSAY_RUNNER_STEPS_LATENCY_HISTOGRAM_H_

#include <chrono>
#include <cstdint>
#include <vector>

namespace assay::steps {

// Counts durations in buckets that are at most 1/128 wide, from a microsecond
// to an hour (as HdrHistogram does): 4,000 numbers, whatever is counted.
// Histograms of several runs add up.
class LatencyHistogram {
 public:
  using Duration = std::chrono::microseconds;
  static constexpr Duration kMost = std::chrono::hours(1);

  LatencyHistogram();

  // Negative durations count as 0, longer ones as kMost.
  void Add(Duration duration);
  void Merge(const LatencyHistogram& other);

  std::int64_t count() const { return count_; }
  Duration max() const { return max_; }
  // The highest duration of the bucket that holds the `fraction` smallest, 0 to
  // 1; never more than max(). 0 when there is none.
  Duration Percentile(double fraction) const;

  // For a picture: four bars to each power of two, those with nothing left out.
  struct Bar {
    Duration upper;  // the highest duration that counts
    std::int64_t count = 0;
  };
  std::vector<Bar> Bars() const;

 private:
  std::vector<std::int64_t> buckets_;
  std::int64_t count_ = 0;
  Duration max_{0};
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_LATENCY_HISTOGRAM_H_
