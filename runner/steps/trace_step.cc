#include "runner/steps/trace_step.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay::steps {
namespace {

using assay::plan::v1::TraceStep;

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

Outcome CheckRequests(const TraceStep& step, const Observations& seen,
                      const telemetry::Correlation& correlation,
                      assertions::Evaluator& evaluator) {
  std::vector<Observations::Request> chosen = seen.requests;
  if (chosen.empty()) {
    return Failed("expected a request to look at, but this check made none");
  }
  if (step.of() == "first") chosen.resize(1);
  if (step.of() == "last" || step.of().empty()) {
    chosen.erase(chosen.begin(), chosen.end() - 1);
  }
  const bool any = step.of() == "any";
  std::optional<Outcome> first_bad;
  for (const auto& request : chosen) {
    Outcome outcome = CheckQueries(step, seen, request, correlation, evaluator);
    if (outcome.passed() && any) return outcome;
    if (!outcome.passed() && !any) return outcome;
    if (!outcome.passed() && !first_bad) first_bad = std::move(outcome);
  }
  return first_bad.value_or(Outcome{});
}

// Statements whose summary or text matches, counted over the check.
Outcome CheckCount(const TraceStep& step, const Observations& seen,
                   assertions::Evaluator& evaluator) {
  const auto count = std::ranges::count_if(
      seen.statements, [&](const Observations::Statement& statement) {
        if (!step.has_span_name()) return true;
        return !evaluator.Text(step.span_name(), "span", &statement.summary) ||
               !evaluator.Text(step.span_name(), "span", &statement.normalised);
      });
  const auto failure = evaluator.Number(step.count(), "number of spans",
                                        static_cast<double>(count));
  return failure ? Failed(failure->sentence, failure->position) : Outcome{};
}

}  // namespace

Outcome RunTraceStep(const TraceStep& step, const Observations& seen,
                     const telemetry::Correlation& correlation,
                     assertions::Evaluator& evaluator) {
  if (step.source() == "reported" || !step.kind().empty() ||
      !step.below().empty() || step.attributes_size() > 0 ||
      step.has_status() || step.has_duration()) {
    return Inconclusive(
        "this build executes `trace` steps with queries_per_request, or count "
        "and span, over what taps saw");
  }
  if (seen.dropped > 0) {
    return Inconclusive("more statements than are kept for trace assertions");
  }
  if (step.has_queries_per_request()) {
    return CheckRequests(step, seen, correlation, evaluator);
  }
  if (step.has_count()) return CheckCount(step, seen, evaluator);
  return Inconclusive("nothing to assert that this build understands");
}

}  // namespace assay::steps
