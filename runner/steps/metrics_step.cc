#include "runner/steps/metrics_step.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::MetricsStep;
using Labels = std::map<std::string, std::string>;
using Sum = telemetry::Reports::Sum;

namespace {

// `a="b",c="d"}` up to the brace, which is taken too.
std::optional<Labels> TakeLabels(std::string_view& line) {
  Labels labels;
  while (true) {
    const auto start = line.find_first_not_of(" \t,");
    if (start == std::string_view::npos) return std::nullopt;
    line.remove_prefix(start);
    if (line.starts_with('}')) {
      line.remove_prefix(1);
      return labels;
    }
    const auto equals = line.find("=\"");
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string name(line.substr(0, equals));
    std::string value;
    std::size_t at = equals + 2;
    for (; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] != '\\' || at + 1 == line.size()) {
        value += line[at];
        continue;
      }
      ++at;
      value += line[at] == 'n' ? '\n' : line[at];
    }
    if (at >= line.size()) return std::nullopt;
    line.remove_prefix(at + 1);
    labels[name] = std::move(value);
  }
}

bool Matches(const Labels& wanted, const Labels& there) {
  for (const auto& [name, value] : wanted) {
    const auto it = there.find(name);
    if (it == there.end() || it->second != value) return false;
  }
  return true;
}

}  // namespace

Sum SumOfExposition(std::string_view text, std::string_view name,
                    const Labels& labels) {
  Sum sum;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    Labels there;
    if (line.starts_with('{')) {
      line.remove_prefix(1);
      auto taken = TakeLabels(line);
      if (!taken) continue;
      there = *std::move(taken);
    }
    if (line.empty() || (line.front() != ' ' && line.front() != '\t')) continue;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    double value = 0;
    const auto [at, error] =
        std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc() || std::isnan(value) || !Matches(labels, there)) {
      continue;
    }
    sum.value += value;
    ++sum.series;
  }
  return sum;
}

asio::awaitable<Outcome> RunMetricsStep(const MetricsStep& step, Frame& frame,
                                        Surroundings& surroundings,
                                        assertions::Schemas& schemas,
                                        std::chrono::milliseconds limit) {
  Labels labels;
  for (const auto& [name, text] : step.labels()) {
    auto value = suite::ExpandText(text, frame.scope);
    if (!value) co_return Failed(value.error().message);
    labels[name] = *std::move(value);
  }
  Sum sum;
  if (step.source() == "otlp") {
    sum = surroundings.Metric(step.name(), labels);
  } else {
    auto client = surroundings.Http("", "");
    if (!client) co_return Errored(client.error().message);
    HttpRequest request{.target = step.path(), .timeout = limit};
    const HttpResult result = co_await (*client)->Perform(std::move(request));
    if (result.kind != HttpResult::Kind::kAnswered) {
      co_return Failed(result.problem);
    }
    if (result.answer.status != 200) {
      co_return Failed("expected metrics at " + step.path() + ", got status " +
                       std::to_string(result.answer.status));
    }
    sum = SumOfExposition(result.answer.body, step.name(), labels);
  }
  if (sum.series == 0) {
    co_return Failed("expected a metric " + step.name() +
                     (labels.empty() ? "" : " with these labels") +
                     ", found none");
  }
  assertions::Evaluator evaluator(frame.scope, schemas);
  if (step.has_value()) {
    if (const auto failure = evaluator.Number(
            step.value(), "metric " + step.name(), sum.value)) {
      co_return Failed(failure->sentence, failure->position);
    }
  }
  co_return Outcome{};
}

}  // namespace assay::steps
