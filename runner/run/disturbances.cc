#include "runner/run/disturbances.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "runner/steps/step_runner.h"

namespace assay::run {

using assay::plan::v1::FaultStep;
using std::chrono::microseconds;

namespace {

double NumberOf(const FaultStep& step) {
  const auto value =
      nlohmann::json::parse(step.argument_json(), nullptr, false);
  return value.is_number() ? value.get<double>() : 0;
}

microseconds TimeOf(const FaultStep& step) {
  return microseconds(static_cast<std::int64_t>(NumberOf(step) * 1000));
}

std::string TextOf(const FaultStep& step) {
  const auto value =
      nlohmann::json::parse(step.argument_json(), nullptr, false);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void Add(const FaultStep& step, wires::WireFaults::Direction& direction) {
  const std::string& action = step.action();
  if (action == "latency") direction.latency += TimeOf(step);
  if (action == "jitter") direction.jitter += TimeOf(step);
  // Held back until it is healed.
  if (action == "pause") direction.latency += std::chrono::hours(24);
  if (action == "bandwidth") direction.bandwidth = NumberOf(step);
  if (action == "cut_after") {
    direction.cut_after = static_cast<std::int64_t>(NumberOf(step));
  }
}

void Add(const FaultStep& step, wires::WireFaults& faults) {
  if (step.action() == "refuse" || step.action() == "kill") {
    faults.refuse = true;
  }
  if (step.action() == "error") faults.error = TextOf(step);
  if (step.direction() != "response") Add(step, faults.request);
  if (step.direction() != "request") Add(step, faults.response);
}

}  // namespace

Disturbances::Disturbances(boost::asio::any_io_executor executor,
                           Wiring& wiring, telemetry::Tracer& tracer,
                           std::uint64_t seed)
    : executor_(std::move(executor)),
      wiring_(wiring),
      tracer_(tracer),
      seed_(seed) {}

Disturbances::~Disturbances() = default;

Status Disturbances::BeginOnWires(const FaultStep& step,
                                  const telemetry::TraceContext& below) {
  const std::string& target = step.target();
  if (!wiring_.LeadsTo(target)) {
    return InvalidArgument("no wire leads to \"", target, "\" that ",
                           step.action(), " could disturb");
  }
  Begin(step, below, nullptr);
  if (step.action() == "reset" || step.action() == "kill") {
    wiring_.DropConnections(target);
  }
  return Apply(target);
}

void Disturbances::BeginOnProcesses(const FaultStep& step,
                                    const telemetry::TraceContext& below,
                                    Undo undo) {
  Begin(step, below, std::move(undo));
}

void Disturbances::Begin(const FaultStep& step,
                         const telemetry::TraceContext& below, Undo undo) {
  telemetry::Span span =
      tracer_.Start(step.action() + " " + step.target(), below);
  span.Set("assay.fault.target", step.target());
  span.Set("assay.fault.action", step.action());
  span.Set("assay.fault.argument", step.argument_json());
  span.Set("assay.fault.direction", step.direction());
  span.Set("assay.fault.seed", static_cast<std::int64_t>(seed_));
  // Nothing lasts: what stands is reset, and that is all.
  if (step.action() == "reset") return;
  const auto fault = faults_.insert(
      faults_.end(),
      Fault{++begun_, step, std::move(span), std::move(undo), nullptr});
  if (!step.has_duration()) return;
  fault->timer = std::make_unique<boost::asio::steady_timer>(
      executor_, steps::ToMilliseconds(step.duration()));
  fault->timer->async_wait(
      [this, id = begun_, alive = std::weak_ptr(alive_)](const auto&) {
        if (alive.expired()) return;
        const auto due = std::ranges::find(faults_, id, &Fault::id);
        if (due != faults_.end()) End(due, "its time was up", true);
      });
}

void Disturbances::End(Faults::iterator fault, const char* why, bool by_time) {
  Fault ended = std::move(*fault);
  faults_.erase(fault);
  ended.span.AddEvent(why);
  ended.span.End();
  if (ended.undo) {
    ended.undo(by_time);
  } else {
    // What could be applied can be taken away.
    (void)Apply(ended.step.target());
  }
}

Status Disturbances::Apply(const std::string& target) {
  wires::WireFaults faults;
  for (const Fault& fault : faults_) {
    if (fault.step.target() == target && !fault.undo) Add(fault.step, faults);
  }
  return wiring_.SetFaults(target, faults, seed_);
}

void Disturbances::Heal(const std::string& target) {
  for (auto it = faults_.begin(); it != faults_.end();) {
    const auto fault = it++;
    if (fault->step.target() == target) End(fault, "healed");
  }
}

void Disturbances::HealAll() {
  while (!faults_.empty()) End(faults_.begin(), "the check ended");
}

}  // namespace assay::run
