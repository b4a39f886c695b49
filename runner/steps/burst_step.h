#ifndef ASSAY_RUNNER_STEPS_BURST_STEP_H_
#define ASSAY_RUNNER_STEPS_BURST_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

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

// The same for a burst of several steps, each time with names and cookies of
// its own; the last answer counts. `run` executes the steps.
using RunSteps = std::function<boost::asio::awaitable<Outcome>(Frame& frame)>;
boost::asio::awaitable<Outcome> RunBurstOfSteps(
    const assay::plan::v1::BurstStep& step, Frame& frame,
    Surroundings& surroundings, telemetry::Tracer& tracer, RunSteps run,
    std::chrono::milliseconds limit);

// What the answers of a burst have to be together: statuses and `distinct`.
Outcome CheckTogether(const assay::plan::v1::BurstStep& step,
                      const std::vector<HttpResult>& results);
// Its `within`.
Outcome CheckWithin(const assay::plan::v1::BurstStep& step, const Frame& frame,
                    assertions::Schemas& schemas,
                    std::chrono::steady_clock::duration took);

// Holds counts by status (0: no answer) against "201" and "4xx" keys. Empty
// when they agree, else "expected 10 x 201, got 9 x 201 and 1 x 500".
std::string CompareStatuses(
    const google::protobuf::Map<std::string, std::int32_t>& expected,
    const std::map<int, int>& counts);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_BURST_STEP_H_
