#ifndef ASSAY_RUNNER_STEPS_REDIS_STEP_H_
#define ASSAY_RUNNER_STEPS_REDIS_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/redactor.h"

namespace assay::steps {

// Sends one command to a Redis sidecar and holds the reply against what the
// suite expects.
boost::asio::awaitable<Outcome> RunRedisStep(
    const assay::plan::v1::RedisStep& step, Frame& frame,
    Surroundings& surroundings, assertions::Schemas& schemas,
    telemetry::Redactor& redactor, std::chrono::milliseconds limit);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_REDIS_STEP_H_
