#ifndef ASSAY_RUNNER_TELEMETRY_CORRELATION_H_
#define ASSAY_RUNNER_TELEMETRY_CORRELATION_H_

#include <cstdint>
#include <map>
#include <vector>

#include "runner/telemetry/trace_context.h"

namespace assay::telemetry {

// Says which request a moment belongs to: exactly, when one was in flight; else
// it says that it does not know, and never guesses.
//
// Threads: confined to the run's thread.
class Correlation {
 public:
  struct Place {
    enum class Kind {
      // No request was in flight: the service's own doing.
      kIdle,
      kRequest,
      // Several were: it could have been any.
      kAmbiguous,
    };
    Kind kind = Kind::kIdle;
    // The request's span, or else what the run was doing.
    TraceContext span;
    // From 1; 0 unless kRequest.
    std::uint64_t request = 0;
  };

  Correlation();

  // What the run does from now on: a phase, a check.
  void SetBackground(TraceContext span);
  // A request begins; its number, for Leave.
  std::uint64_t Enter(TraceContext span);
  void Leave(std::uint64_t request);
  // Whether another request was in flight at any time during `request`.
  bool Overlapped(std::uint64_t request) const;

  // Remembers this moment; 40 bytes for each request and background, nothing
  // for a mark.
  std::uint64_t Mark() const;
  Place At(std::uint64_t mark) const { return places_[mark]; }

 private:
  std::vector<Place> places_;
  // By request: its place.
  std::map<std::uint64_t, std::uint64_t> in_flight_;
  std::vector<bool> overlapped_;
  std::uint64_t idle_ = 0;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_CORRELATION_H_
