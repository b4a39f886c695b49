#include "runner/steps/calibration.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include "runner/steps/load_step.h"
#include "runner/steps/step_runner.h"
#include "runner/telemetry/correlation.h"
#include "runner/telemetry/redactor.h"
#include "runner/telemetry/tracer.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::Plan;
using assay::plan::v1::Step;
using Steps = google::protobuf::RepeatedPtrField<Step>;

namespace {

constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::seconds kSlack{30};

struct Nobody final : telemetry::EventSink {
  void Emit(assay::v1::RunEvent) override {}
};

// What prepares the service: assertions over traces, logs and metrics would
// find nothing of the reference.
bool Prepares(const Step& step) {
  return step.has_http() || step.has_sql() || step.has_redis() ||
         step.has_use() || step.has_wait() || step.has_burst() ||
         step.has_grpc() || step.has_stream();
}

Calibration Unknown(std::string problem) {
  return {.done = true, .problem = std::move(problem)};
}

std::chrono::milliseconds TimeFor(const Plan& plan,
                                  const assay::plan::v1::LoadStep& load) {
  const auto once =
      ToMilliseconds(load.warmup()) + ToMilliseconds(load.duration()) + kSlack;
  return ToMilliseconds(plan.limits().build_timeout()) + kStart + 2 * once;
}

}  // namespace

Calibration SlownessFrom(double here, double at) {
  const double slowness = here / at;
  if (slowness > kMostSlowness) {
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(),
                  "the reference needs %.2f ms here and %.2f ms on the suite's "
                  "machine: this one is too slow, or too busy",
                  here, at);
    return Unknown(text.data());
  }
  return {.done = true, .slowness = std::max(slowness, kLeastSlowness)};
}

asio::awaitable<Calibration> CalibrateLoad(const Plan& plan, const Steps& steps,
                                           int load, const Frame& frame,
                                           Surroundings& surroundings) {
  const auto& step = steps[load].load();
  Frame own{.scope = frame.scope,
            .deadline = std::min(frame.last, std::chrono::steady_clock::now() +
                                                 TimeFor(plan, step)),
            .span = frame.span};
  auto reference =
      co_await surroundings.Reference(step.calibration().index(), own.deadline);
  if (!reference) {
    co_return Unknown("the reference: " + reference.error().message);
  }
  Nobody nobody;
  telemetry::Tracer tracer(nobody, frame.span.trace_id);
  telemetry::Correlation correlation;
  telemetry::Redactor redactor;
  StepRunner runner(plan, **reference, tracer, correlation, redactor);
  Steps before;
  for (int i = 0; i < load; ++i) {
    if (Prepares(steps[i])) *before.Add() = steps[i];
  }
  assay::v1::CheckResult unseen;
  const Outcome prepared = co_await runner.Run(before, own, unseen);
  if (!prepared.passed()) {
    co_return Unknown("the reference fails what comes before: " +
                      prepared.reason);
  }
  assertions::Schemas schemas(plan);
  const LoadMeasurement measured = co_await MeasureLoad(
      step, own, {plan, **reference, schemas, tracer, correlation});
  if (!measured.result) {
    co_return Unknown("the reference: " + measured.otherwise.reason);
  }
  if (measured.result->answered < measured.result->planned) {
    co_return Unknown("the reference did not answer every request");
  }
  co_return SlownessFrom(
      FigureOf(*measured.result, step.calibration().metric()),
      step.calibration().at());
}

}  // namespace assay::steps
