#ifndef ASSAY_TESTS_TESTING_MANUAL_CLOCK_H_
#define ASSAY_TESTS_TESTING_MANUAL_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "proto/base/clock.h"

namespace assay::testing {

// A clock that stands still until it is turned. Starts at a round number of
// seconds, 2026-01-01T00:00:00Z.
//
// Threads: any.
class ManualClock final : public Clock {
 public:
  static constexpr std::int64_t kStartMicros = 1'767'225'600'000'000;

  TimePoint Now() const override { return FromMicros(micros_.load()); }

  void Advance(std::chrono::microseconds by) { micros_ += by.count(); }
  // Also backwards, as clocks do when somebody corrects them.
  void Set(TimePoint time) { micros_ = ToMicros(time); }

 private:
  std::atomic<std::int64_t> micros_{kStartMicros};
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_TESTING_MANUAL_CLOCK_H_
