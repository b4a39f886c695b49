#include "runner/steps/trace_step.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/steps/scan_advice.h"
#include "runner/steps/span_choice.h"
#include "runner/steps/step_runner.h"

namespace assay::steps {
namespace {

namespace asio = boost::asio;
using assay::otlp::v1::Span;
using assay::otlp::v1::SpanStatus;
using assay::plan::v1::Matcher;
using assay::plan::v1::TraceStep;
using Spans = std::vector<const Span*>;

// The statement that a request ran most often, if it ran it several times: the
// N of an N+1.
std::string MostRepeated(const Observations& seen, std::uint64_t request) {
  std::map<std::string, int> times;
  for (const auto& statement : seen.statements) {
    if (statement.request == request && !statement.transaction_control) {
      ++times[statement.normalised];
    }
  }
  const auto most = std::ranges::max_element(
      times, {}, [](const auto& entry) { return entry.second; });
  if (most == times.end() || most->second < 2) return "";
  return ": " + std::to_string(most->second) + " × " +
         most->first.substr(0, 160);
}

std::int64_t QueriesOf(const Observations& seen, std::uint64_t request) {
  return std::ranges::count_if(seen.statements, [&](const auto& statement) {
    return statement.request == request && !statement.transaction_control;
  });
}

Outcome CheckQueries(const TraceStep& step, const Observations& seen,
                     const Observations::Request& request,
                     const telemetry::Correlation& correlation,
                     assertions::Evaluator& evaluator) {
  if (correlation.Overlapped(request.number)) {
    return Inconclusive(request.title +
                        " overlapped with other requests, so that its "
                        "statements cannot be told from theirs");
  }
  const auto queries = static_cast<double>(QueriesOf(seen, request.number));
  const auto failure = evaluator.Number(
      step.queries_per_request(), "statements of " + request.title, queries);
  if (!failure) return {};
  return Failed(failure->sentence + MostRepeated(seen, request.number),
                failure->position);
}

bool LooksAtSpans(const TraceStep& step) {
  return step.has_span_name() || !step.kind().empty() ||
         !step.below().empty() || step.attributes_size() > 0 ||
         step.has_status() || step.has_count() || step.has_duration();
}

// The spans meant, in words.
std::string Describe(const TraceStep& step) {
  std::string words = step.source() == "reported" ? "reported span" : "span";
  if (step.has_span_name() && step.span_name().matchers_size() > 0) {
    words += " " + step.span_name().matchers(0).operand_json();
  }
  return words;
}

std::string_view StatusOf(const Span& span) {
  switch (span.status().code()) {
    case SpanStatus::STATUS_CODE_OK:
      return "ok";
    case SpanStatus::STATUS_CODE_ERROR:
      return "error";
    default:
      return "unset";
  }
}

std::chrono::microseconds DurationOf(const Span& span) {
  if (span.end_time_unix_nano() <= span.start_time_unix_nano()) {
    return std::chrono::microseconds(0);
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(
      (span.end_time_unix_nano() - span.start_time_unix_nano()) / 1000));
}

// Number, status and time of the spans meant.
Outcome CheckSpans(const TraceStep& step, const Spans& spans,
                   assertions::Evaluator& evaluator) {
  if (step.has_count()) {
    const auto failure =
        evaluator.Number(step.count(), "number of " + Describe(step) + "s",
                         static_cast<double>(spans.size()));
    if (failure) return Failed(failure->sentence, failure->position);
  } else if (spans.empty()) {
    return Failed("expected a " + Describe(step) + ", found none");
  }
  for (const Span* span : spans) {
    if (step.has_status()) {
      const std::string status(StatusOf(*span));
      if (const auto failure = evaluator.Text(
              step.status(), "status of " + span->name(), &status)) {
        const std::string why = span->status().message();
        return Failed(failure->sentence + (why.empty() ? "" : ": " + why),
                      failure->position);
      }
    }
    if (!step.has_duration()) continue;
    if (const auto failure =
            evaluator.Duration(step.duration(), "duration of " + span->name(),
                               DurationOf(*span))) {
      return Failed(failure->sentence, failure->position);
    }
  }
  return {};
}

Outcome CheckRequest(const TraceStep& step, const Observations& seen,
                     const Observations::Request& request,
                     const telemetry::Correlation& correlation,
                     const SpanChoice& choice,
                     assertions::Evaluator& evaluator) {
  if (step.has_queries_per_request()) {
    Outcome outcome = CheckQueries(step, seen, request, correlation, evaluator);
    if (!outcome.passed() || !LooksAtSpans(step)) return outcome;
  }
  Outcome outcome = CheckSpans(step, choice.Below(request.span_id), evaluator);
  if (!outcome.passed()) outcome.reason += ", in " + request.title;
  return outcome;
}

Outcome CheckRequests(const TraceStep& step, const Observations& seen,
                      const telemetry::Correlation& correlation,
                      const SpanChoice& choice,
                      assertions::Evaluator& evaluator) {
  const std::vector<Observations::Request> chosen = ChosenRequests(step, seen);
  if (chosen.empty()) {
    return Failed("expected a request to look at, but this check made none");
  }
  const bool any = step.of() == "any";
  std::optional<Outcome> first_bad;
  for (const auto& request : chosen) {
    Outcome outcome =
        CheckRequest(step, seen, request, correlation, choice, evaluator);
    if (outcome.passed() && any) return outcome;
    if (!outcome.passed() && !any) return outcome;
    if (!outcome.passed() && !first_bad) first_bad = std::move(outcome);
  }
  return first_bad.value_or(Outcome{});
}

// Whether more spans could make it fail that holds now.
bool MayFailLater(const TraceStep& step) {
  if (step.has_status() || step.has_duration()) return true;
  return std::ranges::any_of(step.count().matchers(), [](const Matcher& m) {
    return m.op() != Matcher::OP_GT && m.op() != Matcher::OP_GTE;
  });
}

}  // namespace

std::vector<Observations::Request> ChosenRequests(const TraceStep& step,
                                                  const Observations& seen) {
  std::vector<Observations::Request> chosen = seen.requests;
  if (chosen.empty()) return chosen;
  if (step.of() == "first") chosen.resize(1);
  if (step.of() == "last" || step.of().empty()) {
    chosen.erase(chosen.begin(), chosen.end() - 1);
  }
  return chosen;
}

Outcome CheckTrace(const TraceStep& step, const Observations& seen,
                   const telemetry::Correlation& correlation,
                   assertions::Evaluator& evaluator) {
  if (step.has_sequential_scans() && !step.has_queries_per_request() &&
      !LooksAtSpans(step)) {
    return {};
  }
  if (seen.dropped > 0 || seen.dropped_spans > 0) {
    return Inconclusive("more spans than are kept for trace assertions");
  }
  const SpanChoice choice(step, seen, evaluator);
  if (step.per() == "run") return CheckSpans(step, choice.InRun(), evaluator);
  // Without a word about requests, a number of spans is that of the check.
  const bool counts_check =
      step.per() == "check" ||
      (step.has_count() && !step.has_queries_per_request() &&
       seen.requests.empty());
  if (counts_check) return CheckSpans(step, choice.InCheck(), evaluator);
  return CheckRequests(step, seen, correlation, choice, evaluator);
}

asio::awaitable<Outcome> RunTraceStep(const TraceStep& step, Frame& frame,
                                      Surroundings& surroundings,
                                      const telemetry::Correlation& correlation,
                                      assertions::Schemas& schemas) {
  assertions::Evaluator evaluator(frame.scope, schemas);
  const bool reports = step.source() == "reported" || step.source() == "any";
  const auto end = std::min(frame.deadline, std::chrono::steady_clock::now() +
                                                ToMilliseconds(step.wait()));
  while (true) {
    Outcome outcome =
        CheckTrace(step, surroundings.observations(), correlation, evaluator);
    const bool late = std::chrono::steady_clock::now() >= end;
    if (!reports || late || (outcome.passed() && !MayFailLater(step))) {
      if (!outcome.passed() || !step.has_sequential_scans()) co_return outcome;
      co_return co_await CheckSequentialScans(step, surroundings,
                                              frame.deadline);
    }
    co_await surroundings.WaitForReports(end);
  }
}

}  // namespace assay::steps
