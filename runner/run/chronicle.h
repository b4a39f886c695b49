#ifndef ASSAY_RUNNER_RUN_CHRONICLE_H_
#define ASSAY_RUNNER_RUN_CHRONICLE_H_

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "assay/runner/v1/run_input.pb.h"
#include "runner/telemetry/correlation.h"
#include "runner/telemetry/event_sink.h"
#include "runner/telemetry/log_channel.h"
#include "runner/telemetry/redacting_sink.h"
#include "runner/telemetry/redactor.h"
#include "runner/telemetry/tracer.h"

namespace assay::run {

// Everything that a run tells the outside: phases, checks, logs and spans,
// through one redacting sink.
//
// Ownership: borrows `sink`.
// Threads: confined to the run's thread.
class Chronicle {
 public:
  Chronicle(boost::asio::any_io_executor executor,
            const assay::runner::v1::RunInput& input,
            telemetry::EventSink& sink);

  telemetry::Redactor& redactor() { return redactor_; }
  telemetry::Tracer& tracer() { return tracer_; }
  telemetry::Correlation& correlation() { return correlation_; }
  // The span of the whole run.
  const telemetry::TraceContext& root() const { return root_.context(); }

  // The log stream of that name, made when it is first asked for.
  telemetry::LogChannel& Log(const std::string& stream);
  // A line of ours in a log.
  void Note(const std::string& stream, const std::string& line);
  // Whether what happens from now on belongs to a hidden check.
  void SetHidden(bool hidden);

  void PhaseStarted(const std::string& phase);
  void PhaseFinished(const std::string& phase, const std::string& problem);
  // The span of a phase under way.
  const telemetry::TraceContext& PhaseSpan(const std::string& phase);
  void CheckStarted(const assay::plan::v1::Check& check);
  void CheckFinished(assay::v1::CheckResult result);
  // Ends every log and span; the last word.
  void Finished(assay::v1::Run::Outcome outcome, const std::string& reason);

 private:
  boost::asio::any_io_executor executor_;
  const assay::plan::v1::Plan& plan_;
  telemetry::Redactor redactor_;
  telemetry::RedactingSink sink_;
  telemetry::Tracer tracer_;
  telemetry::Correlation correlation_;
  telemetry::Span root_;
  std::map<std::string, telemetry::Span> phases_;
  std::map<std::string, std::unique_ptr<telemetry::LogChannel>> logs_;
  bool hidden_ = false;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_CHRONICLE_H_
