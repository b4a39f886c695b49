#ifndef ASSAY_RUNNER_STEPS_LOGS_STEP_H_
#define ASSAY_RUNNER_STEPS_LOGS_STEP_H_

#include "assay/plan/v1/plan.pb.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/redactor.h"

namespace assay::steps {

// Searches what services have written since the run began. Sources that only a
// service's own telemetry could fill ("otlp", "span-attributes") hold nothing
// in this build.
Outcome RunLogsStep(const assay::plan::v1::LogsStep& step,
                    Surroundings& surroundings,
                    const telemetry::Redactor& redactor);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_LOGS_STEP_H_
