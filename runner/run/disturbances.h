#ifndef ASSAY_RUNNER_RUN_DISTURBANCES_H_
#define ASSAY_RUNNER_RUN_DISTURBANCES_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "runner/run/wiring.h"
#include "runner/telemetry/tracer.h"

namespace assay::run {

// The faults that are in force: each has a span, from its beginning until its
// time is up or it is healed. Several of one target add up.
//
// Ownership: borrows everything.
// Threads: confined to the run's thread.
class Disturbances {
 public:
  // Undoes what a fault did to a target's processes; `by_time`: because its
  // time was up, not because somebody heals the target.
  using Undo = std::function<void(bool by_time)>;

  Disturbances(boost::asio::any_io_executor executor, Wiring& wiring,
               telemetry::Tracer& tracer, std::uint64_t seed);
  ~Disturbances();

  // Begins a fault of a wire (anything but kill and pause of a process).
  // INVALID_ARGUMENT: the target has no wire, or none that can do it.
  Status BeginOnWires(const assay::plan::v1::FaultStep& step,
                      const telemetry::TraceContext& below);
  // Notes a fault of processes that has begun.
  void BeginOnProcesses(const assay::plan::v1::FaultStep& step,
                        const telemetry::TraceContext& below, Undo undo);
  // Ends every fault of `target`.
  void Heal(const std::string& target);
  void HealAll();

 private:
  struct Fault {
    std::uint64_t id = 0;
    assay::plan::v1::FaultStep step;
    telemetry::Span span;
    // Empty: of wires.
    Undo undo;
    std::unique_ptr<boost::asio::steady_timer> timer;
  };
  using Faults = std::list<Fault>;

  void Begin(const assay::plan::v1::FaultStep& step,
             const telemetry::TraceContext& below, Undo undo);
  void End(Faults::iterator fault, const char* why, bool by_time = false);
  // What all faults of `target` together do to its wires.
  Status Apply(const std::string& target);

  boost::asio::any_io_executor executor_;
  Wiring& wiring_;
  telemetry::Tracer& tracer_;
  const std::uint64_t seed_;
  Faults faults_;
  std::uint64_t begun_ = 0;
  // Timers may be due when this is gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_DISTURBANCES_H_
