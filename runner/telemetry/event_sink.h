#ifndef ASSAY_RUNNER_TELEMETRY_EVENT_SINK_H_
#define ASSAY_RUNNER_TELEMETRY_EVENT_SINK_H_

#include "assay/v1/run.pb.h"

namespace assay::telemetry {

// Where everything that a run has to tell goes, in order.
//
// Threads: confined to the run's thread.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Takes one event; never blocks and never fails. A sink that cannot deliver
  // ends the run by other means.
  virtual void Emit(assay::v1::RunEvent event) = 0;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_EVENT_SINK_H_
