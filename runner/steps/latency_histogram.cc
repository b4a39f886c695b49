#include "runner/steps/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace assay::steps {
namespace {

// Of each power of two.
constexpr std::uint64_t kParts = 128;
constexpr int kPartBits = 7;

std::size_t BucketOf(std::uint64_t value) {
  if (value < kParts) return value;
  const int shift = std::bit_width(value) - 1 - kPartBits;
  return static_cast<std::size_t>(shift + 1) * kParts +
         static_cast<std::size_t>((value >> shift) - kParts);
}

std::uint64_t HighestOf(std::size_t bucket) {
  if (bucket < kParts) return bucket;
  const std::uint64_t shift = bucket / kParts - 1;
  const std::uint64_t part = bucket % kParts + kParts;
  return ((part + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram()
    : buckets_(BucketOf(static_cast<std::uint64_t>(kMost.count())) + 1) {}

void LatencyHistogram::Add(Duration duration) {
  duration = std::clamp(duration, Duration(0), kMost);
  ++buckets_[BucketOf(static_cast<std::uint64_t>(duration.count()))];
  ++count_;
  max_ = std::max(max_, duration);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

LatencyHistogram::Duration LatencyHistogram::Percentile(double fraction) const {
  if (count_ == 0) return Duration(0);
  const auto wanted = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(
          std::ceil(fraction * static_cast<double>(count_))),
      1, count_);
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) {
      return std::min(max_, Duration(static_cast<std::int64_t>(HighestOf(i))));
    }
  }
  return max_;
}

std::vector<LatencyHistogram::Bar> LatencyHistogram::Bars() const {
  constexpr std::size_t kBarsOfAPower = 4;
  constexpr std::size_t kWidth = kParts / kBarsOfAPower;
  std::vector<Bar> bars;
  for (std::size_t first = 0; first < buckets_.size(); first += kWidth) {
    const std::size_t end = std::min(first + kWidth, buckets_.size());
    std::int64_t count = 0;
    for (std::size_t i = first; i < end; ++i) count += buckets_[i];
    if (count > 0)
      bars.push_back(
          {Duration(static_cast<std::int64_t>(HighestOf(end - 1))), count});
  }
  return bars;
}

}  // namespace assay::steps
