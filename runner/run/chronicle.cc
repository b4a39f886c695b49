#include "runner/run/chronicle.h"

#include <utility>

namespace assay::run {

using assay::v1::RunEvent;

namespace {

// Without a coordinator's, the run makes a trace of its own.
std::string TraceIdOf(const assay::runner::v1::RunInput& input) {
  const auto parent = telemetry::ParseTraceparent(input.traceparent());
  return parent ? parent->trace_id : telemetry::RandomBytes(16);
}

}  // namespace

Chronicle::Chronicle(boost::asio::any_io_executor executor,
                     const assay::runner::v1::RunInput& input,
                     telemetry::EventSink& sink)
    : executor_(std::move(executor)),
      plan_(input.plan()),
      sink_(redactor_, sink),
      tracer_(sink_, TraceIdOf(input)) {
  for (const auto& [name, value] : input.secrets()) redactor_.Add(name, value);
  root_ = tracer_.Start("run", telemetry::ParseTraceparent(input.traceparent())
                                   .value_or(telemetry::TraceContext{}));
  root_.Set("assay.run", input.run());
  root_.Set("assay.suite", plan_.name());
  root_.Set("assay.seed", static_cast<std::int64_t>(input.seed()));
  correlation_.SetBackground(root_.context());
}

telemetry::LogChannel& Chronicle::Log(const std::string& stream) {
  auto& channel = logs_[stream];
  if (channel == nullptr) {
    channel = std::make_unique<telemetry::LogChannel>(
        executor_, sink_, stream, plan_.limits().log_bytes());
    channel->SetHidden(hidden_);
  }
  return *channel;
}

void Chronicle::Note(const std::string& stream, const std::string& line) {
  Log(stream).Append("assay: " + line + "\n");
}

void Chronicle::SetHidden(bool hidden) {
  hidden_ = hidden;
  tracer_.SetHidden(hidden);
  for (auto& [stream, channel] : logs_) channel->SetHidden(hidden);
}

void Chronicle::PhaseStarted(const std::string& phase) {
  phases_[phase] = tracer_.Start(phase, root_.context());
  correlation_.SetBackground(phases_[phase].context());
  RunEvent event;
  event.mutable_phase_started()->set_phase(phase);
  sink_.Emit(std::move(event));
}

void Chronicle::PhaseFinished(const std::string& phase,
                              const std::string& problem) {
  for (auto& [stream, channel] : logs_) channel->Flush();
  telemetry::Span span = std::move(phases_[phase]);
  phases_.erase(phase);
  if (!problem.empty()) span.Fail(problem);
  span.End();
  tracer_.Flush();
  correlation_.SetBackground(root_.context());
  RunEvent event;
  event.mutable_phase_finished()->set_phase(phase);
  event.mutable_phase_finished()->set_ok(problem.empty());
  event.mutable_phase_finished()->set_reason(problem);
  sink_.Emit(std::move(event));
}

const telemetry::TraceContext& Chronicle::PhaseSpan(const std::string& phase) {
  return phases_[phase].context();
}

void Chronicle::CheckStarted(const assay::plan::v1::Check& check) {
  RunEvent event;
  event.mutable_check_started()->set_check_id(check.id());
  event.mutable_check_started()->set_title(check.title());
  event.mutable_check_started()->set_hidden(check.hidden());
  sink_.Emit(std::move(event));
}

void Chronicle::CheckFinished(assay::v1::CheckResult result) {
  for (auto& [stream, channel] : logs_) channel->Flush();
  tracer_.Flush();
  RunEvent event;
  *event.mutable_check_finished()->mutable_result() = std::move(result);
  sink_.Emit(std::move(event));
}

void Chronicle::Finished(assay::v1::Run::Outcome outcome,
                         const std::string& reason) {
  for (auto& [stream, channel] : logs_) channel->End();
  phases_.clear();
  if (!reason.empty()) root_.Fail(reason);
  root_.End();
  tracer_.Flush();
  RunEvent event;
  event.mutable_finished()->set_outcome(outcome);
  event.mutable_finished()->set_reason(reason);
  sink_.Emit(std::move(event));
}

}  // namespace assay::run
