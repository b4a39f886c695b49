#ifndef ASSAY_RUNNER_STEPS_BURST_STEP_H_
#define ASSAY_RUNNER_STEPS_BURST_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/http_step.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"

namespace assay::steps {

// Sends one request many times, `at_once` of them together: connections are
// opened beforehand and the requests released in one go, so that they meet in
// the service. Counts what came back.
boost::asio::awaitable<Outcome> RunBurstStep(
    const assay::plan::v1::BurstStep& step, Frame& frame,
    Surroundings& surroundings, HttpSteps& http, assertions::Schemas& schemas,
    telemetry::Tracer& tracer, std::chrono::milliseconds limit);

// Holds counts by status (0: no answer) against "201" and "4xx" keys. Empty
// when they agree, else "expected 10 x 201, got 9 x 201 and 1 x 500".
std::string CompareStatuses(
    const google::protobuf::Map<std::string, std::int32_t>& expected,
    const std::map<int, int>& counts);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_BURST_STEP_H_
