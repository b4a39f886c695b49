#ifndef ASSAY_RUNNER_STEPS_TRACE_STEP_H_
#define ASSAY_RUNNER_STEPS_TRACE_STEP_H_

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/evaluator.h"
#include "runner/steps/observations.h"
#include "runner/steps/outcome.h"
#include "runner/telemetry/correlation.h"

namespace assay::steps {

// Holds what the taps saw of this check against `step`. A request that
// overlapped with others is not judged, since nobody knows which statements
// were its own: INCONCLUSIVE.
Outcome RunTraceStep(const assay::plan::v1::TraceStep& step,
                     const Observations& seen,
                     const telemetry::Correlation& correlation,
                     assertions::Evaluator& evaluator);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_TRACE_STEP_H_
