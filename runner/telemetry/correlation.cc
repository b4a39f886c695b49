#include "runner/telemetry/correlation.h"

#include <utility>

namespace assay::telemetry {

// Request numbers start at 1.
Correlation::Correlation() : overlapped_(1) { SetBackground({}); }

void Correlation::SetBackground(TraceContext span) {
  idle_ = places_.size();
  places_.push_back({Place::Kind::kIdle, span, 0});
  // The next place is what an ambiguous moment in front of it is.
  places_.push_back({Place::Kind::kAmbiguous, std::move(span), 0});
}

std::uint64_t Correlation::Enter(TraceContext span) {
  const std::uint64_t request = overlapped_.size();
  overlapped_.push_back(!in_flight_.empty());
  for (const auto& [other, place] : in_flight_) overlapped_[other] = true;
  in_flight_[request] = places_.size();
  places_.push_back({Place::Kind::kRequest, std::move(span), request});
  return request;
}

void Correlation::Leave(std::uint64_t request) { in_flight_.erase(request); }

bool Correlation::Overlapped(std::uint64_t request) const {
  return request < overlapped_.size() && overlapped_[request];
}

std::uint64_t Correlation::Mark() const {
  if (in_flight_.empty()) return idle_;
  if (in_flight_.size() == 1) return in_flight_.begin()->second;
  return idle_ + 1;
}

}  // namespace assay::telemetry
