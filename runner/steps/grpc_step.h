#ifndef ASSAY_RUNNER_STEPS_GRPC_STEP_H_
#define ASSAY_RUNNER_STEPS_GRPC_STEP_H_

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

// Calls a gRPC method over the HTTP client: every kind of stream is "send all,
// then read all". The method's types come from a `.proto` of the suite, or are
// asked for by server reflection.
boost::asio::awaitable<Outcome> RunGrpcStep(
    const assay::plan::v1::GrpcStep& step, Frame& frame,
    Surroundings& surroundings, HttpSteps& http, assertions::Schemas& schemas,
    telemetry::Redactor& redactor, std::chrono::milliseconds limit);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_GRPC_STEP_H_
