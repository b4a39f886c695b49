#ifndef ASSAY_RUNNER_STEPS_TRACE_STEP_H_
#define ASSAY_RUNNER_STEPS_TRACE_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/correlation.h"

namespace assay::steps {

// Holds what the taps saw and what the service reported against `step`.
// Reported spans come late, so a step that looks at them waits for them, as
// long as it says. A request that overlapped with others is not judged by its
// statements, since nobody knows which were its own: INCONCLUSIVE.
boost::asio::awaitable<Outcome> RunTraceStep(
    const assay::plan::v1::TraceStep& step, Frame& frame,
    Surroundings& surroundings, const telemetry::Correlation& correlation,
    assertions::Schemas& schemas);

// The requests of the check that `step` means.
std::vector<Observations::Request> ChosenRequests(
    const assay::plan::v1::TraceStep& step, const Observations& seen);

// One look.
Outcome CheckTrace(const assay::plan::v1::TraceStep& step,
                   const Observations& seen,
                   const telemetry::Correlation& correlation,
                   assertions::Evaluator& evaluator);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_TRACE_STEP_H_
