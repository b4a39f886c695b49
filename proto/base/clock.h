#ifndef ASSAY_PROTO_BASE_CLOCK_H_
#define ASSAY_PROTO_BASE_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace assay {

// Where the time of day comes from, so that tests can turn it by hand.
//
// Threads: implementations are safe to call from any thread.
class Clock {
 public:
  // Microseconds since the Unix epoch, UTC: what the stores keep.
  using TimePoint = std::chrono::time_point<std::chrono::system_clock,
                                            std::chrono::microseconds>;

  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
};

inline std::int64_t ToMicros(Clock::TimePoint time) {
  return time.time_since_epoch().count();
}
inline Clock::TimePoint FromMicros(std::int64_t micros) {
  return Clock::TimePoint(std::chrono::microseconds(micros));
}

}  // namespace assay

#endif  // ASSAY_PROTO_BASE_CLOCK_H_
