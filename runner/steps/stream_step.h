#ifndef ASSAY_RUNNER_STEPS_STREAM_STEP_H_
#define ASSAY_RUNNER_STEPS_STREAM_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/http_step.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/redactor.h"

namespace assay::steps {

// Opens a WebSocket or a stream of events and goes through its exchanges.
boost::asio::awaitable<Outcome> RunStreamStep(
    const assay::plan::v1::StreamStep& step, Frame& frame,
    Surroundings& surroundings, HttpSteps& http, assertions::Schemas& schemas,
    telemetry::Redactor& redactor, std::chrono::milliseconds limit);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_STREAM_STEP_H_
