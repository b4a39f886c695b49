#ifndef ASSAY_SERVICES_TELEMETRY_RUN_TRACER_H_
#define ASSAY_SERVICES_TELEMETRY_RUN_TRACER_H_

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "services/runs/run_observer.h"
#include "services/storage/store.h"

namespace assay::telemetry {

// Makes one trace of each run: from the push over queue, lease and phases to
// the verdict and the pushing terminal (docs/reference/telemetry.md).
//
// A span has a name of a fixed list, times, and ids; of candidates' names,
// source and services nothing is copied, also where a run's own spans have it.
//
// Ownership: borrows store and clock. Threads: confined to `strand`.
class RunTracer final : public runs::RunObserver {
 public:
  using Emit = std::function<void(otlp::v1::Span)>;

  RunTracer(boost::asio::any_io_executor strand, storage::Store& store,
            const Clock& clock, Emit emit);

  void PushRecorded(const PushId& push, Clock::TimePoint receive) override;
  void Queued(const storage::RunRecord& run) override;
  void Leased(const storage::RunRecord& run) override;
  void LeaseSent(const storage::RunRecord& lease) override;
  void WorkerSpans(
      const storage::RunRecord& lease,
      const google::protobuf::RepeatedPtrField<otlp::v1::Span>& spans) override;
  void Reported(const storage::RunRecord& lease,
                const std::vector<v1::RunEvent>& events,
                Clock::TimePoint came) override;
  void Lost(const storage::RunRecord& run) override;
  void Shown(const RunId& run) override;

 private:
  // What is known here and not in the run's record; bounded, oldest first.
  template <class Key, class Value>
  class Recent {
   public:
    void Put(const Key& key, Value value);
    // The value, forgotten with this.
    std::optional<Value> Take(const Key& key);

   private:
    std::map<Key, Value> values_;
    std::deque<Key> order_;
  };
  struct PushTimes {
    Clock::TimePoint receive, recorded;
  };
  struct Ended {
    std::string trace_id;
    Clock::TimePoint time;
  };

  void EndLease(const storage::RunRecord& run, bool lost);
  void EndRun(const storage::RunRecord& run, v1::Run::State state,
              v1::Run::Outcome outcome);
  boost::asio::awaitable<void> EmitRoot(storage::RunRecord run,
                                        otlp::v1::Span root);

  const boost::asio::any_io_executor strand_;
  storage::Store& store_;
  const Clock& clock_;
  const Emit emit_;
  Recent<PushId, PushTimes> pushes_;
  Recent<RunId, Clock::TimePoint> leases_;
  Recent<RunId, Ended> ended_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_SERVICES_TELEMETRY_RUN_TRACER_H_
