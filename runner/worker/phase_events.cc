#include "runner/worker/phase_events.h"

#include <google/protobuf/util/time_util.h>

namespace assay::worker {
namespace {

constexpr char kPhase[] = "materialise";

v1::RunEvent Now() {
  v1::RunEvent event;
  *event.mutable_time() = google::protobuf::util::TimeUtil::GetCurrentTime();
  return event;
}

}  // namespace

v1::RunEvent MaterialiseStarted() {
  v1::RunEvent event = Now();
  event.mutable_phase_started()->set_phase(kPhase);
  return event;
}

bool StartsMaterialise(const v1::RunEvent& event) {
  return event.has_phase_started() && event.phase_started().phase() == kPhase;
}

v1::RunEvent MaterialiseFailed(const std::string& reason) {
  v1::RunEvent event = Now();
  event.mutable_phase_finished()->set_phase(kPhase);
  event.mutable_phase_finished()->set_reason(reason);
  return event;
}

v1::RunEvent BuildFailed(const std::string& reason) {
  v1::RunEvent event = Now();
  event.mutable_finished()->set_outcome(v1::Run::OUTCOME_BUILD_FAILED);
  event.mutable_finished()->set_reason(reason);
  return event;
}

}  // namespace assay::worker
