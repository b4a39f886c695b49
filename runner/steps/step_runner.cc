#include "runner/steps/step_runner.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "proto/base/digest.h"
#include "runner/steps/burst_step.h"
#include "runner/steps/command_step.h"
#include "runner/steps/crash_step.h"
#include "runner/steps/grpc_step.h"
#include "runner/steps/load_step.h"
#include "runner/steps/logs_step.h"
#include "runner/steps/metrics_step.h"
#include "runner/steps/mutants_step.h"
#include "runner/steps/redis_step.h"
#include "runner/steps/sql_step.h"
#include "runner/steps/stream_step.h"
#include "runner/steps/trace_step.h"
#include "runner/suite/utf8.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::Step;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

asio::awaitable<void> SleepUntil(steady_clock::time_point time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

std::string ShowDuration(milliseconds duration) {
  const auto ms = duration.count();
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + " s";
  return std::to_string(ms) + " ms";
}

constexpr std::size_t kMostTitle = 120;

std::string_view NameOfVerb(const Step& step) {
  switch (step.verb_case()) {
    case Step::kHttp:
      return "http";
    case Step::kSql:
      return "sql";
    case Step::kUse:
      return "use";
    case Step::kWait:
      return "wait";
    case Step::kBurst:
      return "burst";
    case Step::kTrace:
      return "trace";
    case Step::kLogs:
      return "logs";
    case Step::kFault:
      return "fault";
    case Step::kHeal:
      return "heal";
    case Step::kRestart:
      return "restart";
    case Step::kCommand:
      return "command";
    case Step::kLoad:
      return "load";
    case Step::kRedis:
      return "redis";
    case Step::kMutants:
      return "mutants";
    case Step::kMetrics:
      return "metrics";
    case Step::kStream:
      return step.stream().events() ? "events" : "websocket";
    case Step::kGrpc:
      return "grpc";
    case Step::kUnsupported:
      return step.unsupported().verb();
    case Step::VERB_NOT_SET:
      return "empty";
  }
  return "unknown";
}

// A title with the row's values in it, where that is what it names. Others
// stay as written: they differ in each run.
std::string TitleOf(const Step& step, const suite::Scope& scope) {
  if (step.title().empty()) return std::string(NameOfVerb(step));
  if (!step.title().contains("{{case.")) return step.title();
  const auto expanded = suite::ExpandText(step.title(), scope);
  return expanded ? suite::Shorten(*expanded, kMostTitle) : step.title();
}

// Variables of a flow while it runs; what they hid comes back afterwards.
class Overlay {
 public:
  explicit Overlay(suite::Scope& scope) : scope_(scope) {}
  ~Overlay() {
    for (auto& [name, value] : hidden_) {
      if (value) {
        scope_.Set(name, *std::move(value));
      } else {
        scope_.Erase(name);
      }
    }
  }
  Overlay(const Overlay&) = delete;

  void Set(const std::string& name, nlohmann::json value) {
    const nlohmann::json* before = scope_.Value(name);
    hidden_.emplace_back(
        name, before ? std::optional<nlohmann::json>(*before) : std::nullopt);
    scope_.Set(name, std::move(value));
  }

 private:
  suite::Scope& scope_;
  std::vector<std::pair<std::string, std::optional<nlohmann::json>>> hidden_;
};

}  // namespace

std::string ShowPosition(const assay::plan::v1::Position& position,
                         const assay::plan::v1::Plan& plan) {
  if (position.line() == 0) return "";
  const std::string& file =
      position.file().empty() ? plan.source_name() : position.file();
  return file + ":" + std::to_string(position.line()) + ":" +
         std::to_string(position.column());
}

milliseconds ToMilliseconds(const google::protobuf::Duration& duration) {
  return milliseconds(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
}

StepRunner::StepRunner(const assay::plan::v1::Plan& plan,
                       Surroundings& surroundings, telemetry::Tracer& tracer,
                       telemetry::Correlation& correlation,
                       telemetry::Redactor& redactor)
    : plan_(plan),
      surroundings_(surroundings),
      tracer_(tracer),
      correlation_(correlation),
      redactor_(redactor),
      schemas_(plan),
      http_(plan, surroundings, schemas_, tracer, correlation, redactor) {}

asio::awaitable<Outcome> StepRunner::Run(const Steps& steps, Frame& frame,
                                         assay::v1::CheckResult& result) {
  int before = 0;
  for (const Step& step : steps) {
    if (step.load().has_calibration()) {
      co_await Calibrate(steps, before, frame);
    }
    ++before;
    Outcome outcome = step.has_use() ? co_await RunFlow(step, frame, result)
                                     : co_await RunOne(step, frame, result);
    if (!outcome.passed()) co_return outcome;
  }
  co_return Outcome{};
}

asio::awaitable<void> StepRunner::Calibrate(const Steps& steps, int load,
                                            Frame& frame) {
  const auto& step = steps[load].load();
  Calibration& found = calibrations_[step.calibration().index()];
  // Once for each run: the machine stays the same.
  if (found.done) co_return;
  const auto begin = steady_clock::now();
  telemetry::Span span = tracer_.Start("calibrate", frame.span);
  found = co_await CalibrateLoad(plan_, steps, load, frame, surroundings_);
  if (found.problem.empty()) {
    span.Set("assay.load.slowness", std::to_string(found.slowness));
  } else {
    span.Fail(found.problem);
  }
  // The reference's time is not the check's.
  frame.deadline =
      std::min(frame.last, frame.deadline + (steady_clock::now() - begin));
}

asio::awaitable<Outcome> StepRunner::RunFlow(const Step& step, Frame& frame,
                                             assay::v1::CheckResult& result) {
  const auto flow = plan_.flows().find(step.use().flow());
  if (flow == plan_.flows().end()) {
    co_return Errored("the plan has no flow " + step.use().flow());
  }
  Overlay vars(frame.scope);
  for (const auto& [name, text] : step.use().vars()) {
    auto value = suite::ExpandJsonText(text, frame.scope);
    if (!value) co_return Failed(value.error().message);
    vars.Set(name, *std::move(value));
  }
  co_return co_await Run(flow->second.steps(), frame, result);
}

asio::awaitable<Outcome> StepRunner::RunOne(const Step& step, Frame& frame,
                                            assay::v1::CheckResult& result) {
  const std::string title = TitleOf(step, frame.scope);
  const telemetry::TraceContext above = frame.span;
  telemetry::Span span = tracer_.Start(title, above);
  span.Set("assay.step.verb", NameOfVerb(step));
  frame.span = span.context();
  const auto begin = steady_clock::now();

  Outcome outcome;
  if (frame.Left() > milliseconds(0)) {
    outcome =
        step.has_eventually()
            ? co_await RunEventually(step, frame)
            : co_await RunVerb(step, frame, LimitOf(step, frame), nullptr);
  }
  // Whatever the step says by then, the check's own limit is why.
  if (frame.Left() <= milliseconds(0) && step.verb_case() != Step::kWait) {
    if (!outcome.passed() || steady_clock::now() - begin < milliseconds(1)) {
      outcome = TimedOut("the check's time limit ran out");
    }
  }
  frame.span = above;

  assay::v1::CheckResult::Step& told = *result.add_steps();
  told.set_title(title);
  told.set_verdict(outcome.verdict);
  told.set_reason(outcome.diff.empty() ? outcome.reason
                                       : outcome.reason + "\n" + outcome.diff);
  if (!outcome.advice.empty()) {
    span.Set("assay.advice", outcome.advice);
    if (outcome.passed()) told.set_reason(outcome.advice);
  }
  told.set_position(ShowPosition(
      outcome.position.line() ? outcome.position : step.position(), plan_));
  told.set_span_id(ToHex(span.context().span_id));
  told.mutable_cases()->Add(outcome.cases.begin(), outcome.cases.end());
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(
      steady_clock::now() - begin);
  told.mutable_duration()->set_seconds(took.count() / 1'000'000'000);
  told.mutable_duration()->set_nanos(
      static_cast<std::int32_t>(took.count() % 1'000'000'000));
  if (!outcome.passed()) {
    span.Fail(outcome.reason);
    if (outcome.position.line() == 0) outcome.position = step.position();
    outcome.reason = title + ": " + outcome.reason;
  }
  co_return outcome;
}

asio::awaitable<Outcome> StepRunner::RunEventually(const Step& step,
                                                   Frame& frame) {
  const auto& polling = step.eventually();
  const auto within = ToMilliseconds(polling.within());
  const auto every = std::max(milliseconds(1), ToMilliseconds(polling.every()));
  const auto end = std::min(steady_clock::now() + within, frame.deadline);
  const telemetry::TraceContext above = frame.span;
  for (int attempt = 1;; ++attempt) {
    telemetry::Span span =
        tracer_.Start("try " + std::to_string(attempt), above);
    frame.span = span.context();
    const auto began = steady_clock::now();
    const auto left = std::chrono::duration_cast<milliseconds>(end - began);
    int status = 0;
    Outcome outcome = co_await RunVerb(
        step, frame,
        std::max(milliseconds(1), std::min(LimitOf(step, frame), left)),
        &status);
    frame.span = above;
    if (outcome.passed()) co_return outcome;
    span.Fail(outcome.reason);
    span.End();
    if (outcome.verdict == assay::v1::VERDICT_ERRORED ||
        outcome.verdict == assay::v1::VERDICT_INCONCLUSIVE) {
      co_return outcome;
    }
    if (polling.has_stop_on_status() && status != 0 &&
        assertions::StatusHolds(polling.stop_on_status(), status)) {
      outcome.reason += " (stopped at status " + std::to_string(status) + ")";
      co_return outcome;
    }
    if (began + every >= end) {
      outcome.verdict = assay::v1::VERDICT_FAILED;
      outcome.reason += " (after " + std::to_string(attempt) +
                        (attempt == 1 ? " try in " : " tries in ") +
                        ShowDuration(within) + ")";
      co_return outcome;
    }
    co_await SleepUntil(began + every);
  }
}

milliseconds StepRunner::LimitOf(const Step& step, const Frame& frame) const {
  // A program of its own is bounded by its check.
  const bool program = step.has_command() || step.has_mutants();
  if (program && !step.has_timeout()) return frame.Left();
  auto limit = ToMilliseconds(
      step.has_timeout() ? step.timeout() : plan_.limits().step_timeout());
  // A single request or statement has a limit of its own.
  const bool several = step.has_burst() || step.has_stream() || program ||
                       step.restart().has_traffic();
  if (plan_.limits().has_request_timeout() && !several) {
    limit = std::min(limit, ToMilliseconds(plan_.limits().request_timeout()));
  }
  return std::max(milliseconds(1), std::min(limit, frame.Left()));
}

asio::awaitable<Outcome> StepRunner::RunVerb(const Step& step, Frame& frame,
                                             milliseconds limit, int* status) {
  switch (step.verb_case()) {
    case Step::kHttp:
      co_return co_await http_.Run(step.http(), frame, limit, status);
    case Step::kSql:
      co_return co_await RunSqlStep(step.sql(), frame, surroundings_, schemas_,
                                    redactor_, limit);
    case Step::kRedis:
      co_return co_await RunRedisStep(step.redis(), frame, surroundings_,
                                      schemas_, redactor_, limit);
    case Step::kStream:
      co_return co_await RunStreamStep(step.stream(), frame, surroundings_,
                                       http_, schemas_, redactor_, limit);
    case Step::kGrpc:
      co_return co_await RunGrpcStep(step.grpc(), frame, surroundings_, http_,
                                     schemas_, redactor_, limit);
    case Step::kBurst:
      if (step.burst().steps_size() != 1 || !step.burst().steps(0).has_http()) {
        co_return co_await RunBurstOfSteps(
            step.burst(), frame, surroundings_, tracer_,
            [this, &step](Frame& own) { return RunApart(step, own); }, limit);
      }
      co_return co_await RunBurstStep(step.burst(), frame, surroundings_, http_,
                                      schemas_, tracer_, limit);
    case Step::kCommand:
      co_return co_await RunCommandStep(step.command(), frame, surroundings_,
                                        schemas_, limit);
    case Step::kMutants:
      co_return co_await RunMutantsStep(step.mutants(), frame, surroundings_);
    case Step::kTrace:
      co_return co_await RunTraceStep(step.trace(), frame, surroundings_,
                                      correlation_, schemas_);
    case Step::kLogs:
      co_return RunLogsStep(step.logs(), surroundings_, redactor_);
    case Step::kLoad:
      co_return co_await RunLoad(step.load(), frame);
    case Step::kMetrics:
      co_return co_await RunMetricsStep(step.metrics(), frame, surroundings_,
                                        schemas_, limit);
    case Step::kWait:
      co_return co_await RunWait(step, frame);
    case Step::kRestart:
      if (step.restart().has_traffic()) {
        co_return co_await RunCrashStep(step.restart(), frame, surroundings_,
                                        http_, tracer_, limit);
      }
      co_return co_await RunDisturbance(step, frame);
    case Step::kFault:
    case Step::kHeal:
      co_return co_await RunDisturbance(step, frame);
    default:
      co_return Inconclusive("this build does not execute `" +
                             std::string(NameOfVerb(step)) + "` steps yet (" +
                             ShowPosition(step.position(), plan_) + ")");
  }
}

asio::awaitable<Outcome> StepRunner::RunLoad(
    const assay::plan::v1::LoadStep& step, Frame& frame) {
  double slowness = 1;
  if (step.has_calibration()) {
    const Calibration& found = calibrations_[step.calibration().index()];
    if (!found.problem.empty()) {
      co_return Inconclusive("the load could not be calibrated: " +
                             found.problem);
    }
    slowness = found.slowness;
  }
  co_return co_await RunLoadStep(
      step, frame, {plan_, surroundings_, schemas_, tracer_, correlation_},
      slowness);
}

asio::awaitable<Outcome> StepRunner::RunApart(const Step& step, Frame& frame) {
  // Of which nothing is told but what the burst comes to.
  assay::v1::CheckResult unseen;
  co_return co_await Run(step.burst().steps(), frame, unseen);
}

asio::awaitable<Outcome> StepRunner::RunWait(const Step& step, Frame& frame) {
  const auto end = steady_clock::now() + ToMilliseconds(step.wait().duration());
  co_await SleepUntil(std::min(end, frame.deadline));
  if (frame.deadline < end)
    co_return TimedOut("the check's time limit ran out");
  co_return Outcome{};
}

asio::awaitable<Outcome> StepRunner::RunDisturbance(const Step& step,
                                                    Frame& frame) {
  Status status;
  if (step.has_fault()) {
    status = co_await surroundings_.Disturb(step.fault(), frame.span);
  } else if (step.has_heal()) {
    status = co_await surroundings_.Heal(step.heal().target(), frame.deadline);
  } else {
    status = co_await surroundings_.Kill(step.restart().target());
    if (status) {
      status =
          co_await surroundings_.Heal(step.restart().target(), frame.deadline);
    }
  }
  if (status) co_return Outcome{};
  if (status.error().code == Code::kFailedPrecondition) {
    co_return Failed(status.error().message);
  }
  co_return Errored(status.error().message);
}

}  // namespace assay::steps
