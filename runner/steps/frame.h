#ifndef ASSAY_RUNNER_STEPS_FRAME_H_
#define ASSAY_RUNNER_STEPS_FRAME_H_

#include <chrono>

#include "runner/assertions/evaluator.h"
#include "runner/steps/http_client.h"
#include "runner/suite/template.h"
#include "runner/telemetry/trace_context.h"

namespace assay::steps {

// What the steps of one execution of a check share: names, cookies, the time
// that is left.
struct Frame {
  suite::Scope scope;
  CookieJar cookies;
  std::chrono::steady_clock::time_point deadline;
  // When the run itself ends: what a check does not pay for may last so long.
  std::chrono::steady_clock::time_point last =
      std::chrono::steady_clock::time_point::max();
  // What new spans are below.
  telemetry::TraceContext span;
  // The next request goes over a connection that was made beforehand.
  bool prepared_connection = false;
  // Receives every answer of an HTTP step; null: nobody wants it.
  assertions::HttpAnswer* answer = nullptr;

  std::chrono::milliseconds Left() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
  }
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_FRAME_H_
