#ifndef ASSAY_SERVICES_RUNS_RUN_OBSERVER_H_
#define ASSAY_SERVICES_RUNS_RUN_OBSERVER_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "assay/otlp/v1/trace.pb.h"
#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "services/storage/tables/runs.h"

namespace assay::runs {

// Is told what becomes of runs in this process, after it has become durable.
// What it does about it must be quick, and changes nothing.
//
// Threads: confined to the coordinator's strand.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  // A push that may get a run is recorded; its last byte was read at `receive`.
  virtual void PushRecorded(const PushId& push, Clock::TimePoint receive) = 0;
  // A run was queued or superseded.
  virtual void Queued(const storage::RunRecord& run) = 0;
  // `run` as its lease found it.
  virtual void Leased(const storage::RunRecord& run) = 0;
  virtual void LeaseSent(const storage::RunRecord& lease) = 0;
  // What the worker says of its own part.
  virtual void WorkerSpans(
      const storage::RunRecord& lease,
      const google::protobuf::RepeatedPtrField<otlp::v1::Span>& spans) = 0;
  // Events of a worker, which came at `came`, with what they led to.
  virtual void Reported(const storage::RunRecord& lease,
                        const std::vector<v1::RunEvent>& events,
                        Clock::TimePoint came) = 0;
  // A lease ended without the worker's last word. `run` as it is now.
  virtual void Lost(const storage::RunRecord& run) = 0;
  // Whoever pushed has been told how the run ended.
  virtual void Shown(const RunId& run) = 0;
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_RUN_OBSERVER_H_
