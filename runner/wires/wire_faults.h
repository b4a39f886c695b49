#ifndef ASSAY_RUNNER_WIRES_WIRE_FAULTS_H_
#define ASSAY_RUNNER_WIRES_WIRE_FAULTS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace assay::wires {

// What a wire does to the bytes that pass. The default does nothing.
struct WireFaults {
  struct Direction {
    // Every piece is passed on so much later; a random time up to `jitter`
    // comes on top. Order is kept.
    std::chrono::microseconds latency{0};
    std::chrono::microseconds jitter{0};
    // Bytes per second; 0: as fast as it goes.
    double bandwidth = 0;
    // A connection is reset when so many more bytes have passed.
    std::optional<std::int64_t> cut_after;

    bool shapes() const {
      return latency.count() > 0 || jitter.count() > 0 || bandwidth > 0;
    }
  };
  // From who connects to who listens, and back.
  Direction request;
  Direction response;
  // New connections are refused.
  bool refuse = false;
  // What requests are answered with instead of being passed on: an SQLSTATE,
  // an HTTP status. Only by taps that can; empty: they are passed on.
  std::string error;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_WIRE_FAULTS_H_
