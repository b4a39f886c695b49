#ifndef ASSAY_RUNNER_STEPS_CRASH_STEP_H_
#define ASSAY_RUNNER_STEPS_CRASH_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/steps/frame.h"
#include "runner/steps/http_step.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/tracer.h"

namespace assay::steps {

// Kills a service in the middle of traffic, starts it again, lets the traffic
// end, and looks whether everything that was acknowledged is there, once.
// Requests that the crash took along may have been done or not: nobody was told
// that they were.
boost::asio::awaitable<Outcome> RunCrashStep(
    const assay::plan::v1::RestartStep& step, Frame& frame,
    Surroundings& surroundings, HttpSteps& http, telemetry::Tracer& tracer,
    std::chrono::milliseconds limit);

// What is wrong with a history, as a sentence; empty: nothing. `there`: the ids
// in it.
std::string CompareHistory(const std::vector<std::string>& acknowledged,
                           const std::vector<std::string>& there);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_CRASH_STEP_H_
