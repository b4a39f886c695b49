#ifndef ASSAY_RUNNER_STEPS_HTTP_STEP_H_
#define ASSAY_RUNNER_STEPS_HTTP_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/correlation.h"
#include "runner/telemetry/redactor.h"
#include "runner/telemetry/tracer.h"

namespace assay::steps {

// Sends requests and holds their answers against what the suite expects.
//
// Ownership: borrows everything.
// Threads: confined to the run's thread.
class HttpSteps {
 public:
  HttpSteps(const assay::plan::v1::Plan& plan, Surroundings& surroundings,
            assertions::Schemas& schemas, telemetry::Tracer& tracer,
            telemetry::Correlation& correlation, telemetry::Redactor& redactor);

  // `status`, if given, receives the answer's status (0: no answer), also when
  // the step fails.
  boost::asio::awaitable<Outcome> Run(const assay::plan::v1::HttpStep& step,
                                      Frame& frame,
                                      std::chrono::milliseconds limit,
                                      int* status = nullptr);

  // One request with its span and its place among the requests in flight.
  // Redirects are followed as the step allows.
  boost::asio::awaitable<HttpResult> Send(
      const assay::plan::v1::HttpStep& step, HttpRequest request,
      HttpClient& client, const telemetry::TraceContext& parent);
  // The outcome of a request that was not answered.
  boost::asio::awaitable<Outcome> Explain(const assay::plan::v1::HttpStep& step,
                                          HttpResult result);
  // Takes the step's captures into the scope.
  void HideCaptures(const assay::plan::v1::HttpStep& step,
                    const assertions::HttpAnswer& answer);
  Outcome Capture(const assay::plan::v1::HttpStep& step,
                  const assertions::HttpAnswer& answer, Frame& frame);

  const assay::plan::v1::Plan& plan() const { return plan_; }

 private:
  boost::asio::awaitable<HttpResult> Exchange(
      const assay::plan::v1::HttpStep& step, const HttpRequest& request,
      HttpClient& client, const telemetry::TraceContext& parent);

  const assay::plan::v1::Plan& plan_;
  Surroundings& surroundings_;
  assertions::Schemas& schemas_;
  telemetry::Tracer& tracer_;
  telemetry::Correlation& correlation_;
  telemetry::Redactor& redactor_;
};

// The first of `failures` as an outcome, with how many more there are.
Outcome FromFailures(const std::vector<assertions::Failure>& failures);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_HTTP_STEP_H_
