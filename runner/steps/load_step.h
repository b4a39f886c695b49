#ifndef ASSAY_RUNNER_STEPS_LOAD_STEP_H_
#define ASSAY_RUNNER_STEPS_LOAD_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/load_generator.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/correlation.h"
#include "runner/telemetry/tracer.h"

namespace assay::steps {

// What a load step needs beside the step.
struct LoadContext {
  const assay::plan::v1::Plan& plan;
  Surroundings& surroundings;
  assertions::Schemas& schemas;
  telemetry::Tracer& tracer;
  telemetry::Correlation& correlation;
};

// A measurement of a load that counts, or why there is none.
struct LoadMeasurement {
  std::optional<LoadResult> result;
  Outcome otherwise;
};

// Sends the planned load. A measurement that breaks `valid_if` is repeated once
// where there is time, and INCONCLUSIVE if it breaks it again.
boost::asio::awaitable<LoadMeasurement> MeasureLoad(
    const assay::plan::v1::LoadStep& step, Frame& frame, LoadContext context);

// Measures, and holds the figures against what is expected. `slowness`: how
// many times as long as on the author's machine everything takes here;
// latencies are divided by it.
boost::asio::awaitable<Outcome> RunLoadStep(
    const assay::plan::v1::LoadStep& step, Frame& frame, LoadContext context,
    double slowness = 1);

// A figure of a load by its name in the language; milliseconds, or a fraction.
double FigureOf(const LoadResult& result, std::string_view name);

// The share of the points that a figure earns: 1 up to `full`, 0 from `zero`
// on, a straight line in between, whichever of the two is higher.
double PartialShare(double figure, double full, double zero);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_LOAD_STEP_H_
