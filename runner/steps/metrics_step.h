#ifndef ASSAY_RUNNER_STEPS_METRICS_STEP_H_
#define ASSAY_RUNNER_STEPS_METRICS_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"

namespace assay::steps {

// Holds a metric of the service against `step`: scraped from its Prometheus
// endpoint, or as it was reported last.
boost::asio::awaitable<Outcome> RunMetricsStep(
    const assay::plan::v1::MetricsStep& step, Frame& frame,
    Surroundings& surroundings, assertions::Schemas& schemas,
    std::chrono::milliseconds limit);

// The sum over the series of that name with these labels, in Prometheus's text
// format; lines that are not in it are passed over.
telemetry::Reports::Sum SumOfExposition(
    std::string_view text, std::string_view name,
    const std::map<std::string, std::string>& labels);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_METRICS_STEP_H_
