#ifndef ASSAY_RUNNER_STEPS_STEP_RUNNER_H_
#define ASSAY_RUNNER_STEPS_STEP_RUNNER_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/check.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/calibration.h"
#include "runner/steps/frame.h"
#include "runner/steps/http_step.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/correlation.h"
#include "runner/telemetry/redactor.h"
#include "runner/telemetry/tracer.h"

namespace assay::steps {

// Executes the steps of checks: one span and one result for each, polling,
// flows, time limits.
//
// Ownership: borrows everything; the plan outlives it.
// Threads: confined to the run's thread.
class StepRunner {
 public:
  using Steps = google::protobuf::RepeatedPtrField<assay::plan::v1::Step>;

  StepRunner(const assay::plan::v1::Plan& plan, Surroundings& surroundings,
             telemetry::Tracer& tracer, telemetry::Correlation& correlation,
             telemetry::Redactor& redactor);

  // Runs `steps` up to the first that does not pass, whose outcome it returns,
  // prefixed with its title. Adds a result for each step to `result`; those of
  // a flow stand in its place.
  boost::asio::awaitable<Outcome> Run(const Steps& steps, Frame& frame,
                                      assay::v1::CheckResult& result);

 private:
  using Step = assay::plan::v1::Step;
  using Milliseconds = std::chrono::milliseconds;

  boost::asio::awaitable<Outcome> RunOne(const Step& step, Frame& frame,
                                         assay::v1::CheckResult& result);
  boost::asio::awaitable<Outcome> RunEventually(const Step& step, Frame& frame);
  // `status` receives an HTTP answer's status.
  boost::asio::awaitable<Outcome> RunVerb(const Step& step, Frame& frame,
                                          Milliseconds limit, int* status);
  boost::asio::awaitable<Outcome> RunFlow(const Step& step, Frame& frame,
                                          assay::v1::CheckResult& result);
  // One time of a burst of several steps.
  boost::asio::awaitable<Outcome> RunApart(const Step& step, Frame& frame);
  // Measures the reference before the load at that place, unless it was.
  boost::asio::awaitable<void> Calibrate(const Steps& steps, int load,
                                         Frame& frame);
  boost::asio::awaitable<Outcome> RunLoad(const assay::plan::v1::LoadStep& step,
                                          Frame& frame);
  boost::asio::awaitable<Outcome> RunWait(const Step& step, Frame& frame);
  boost::asio::awaitable<Outcome> RunDisturbance(const Step& step,
                                                 Frame& frame);
  Milliseconds LimitOf(const Step& step, const Frame& frame) const;

  const assay::plan::v1::Plan& plan_;
  Surroundings& surroundings_;
  telemetry::Tracer& tracer_;
  telemetry::Correlation& correlation_;
  telemetry::Redactor& redactor_;
  assertions::Schemas schemas_;
  HttpSteps http_;
  // By LoadStep.Calibration.index.
  std::map<int, Calibration> calibrations_;
};

// "assay.yaml:41:9".
std::string ShowPosition(const assay::plan::v1::Position& position,
                         const assay::plan::v1::Plan& plan);
std::chrono::milliseconds ToMilliseconds(
    const google::protobuf::Duration& duration);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_STEP_RUNNER_H_
