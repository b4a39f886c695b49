#include "runner/steps/load_step.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <utility>

#include "runner/steps/request.h"
#include "runner/steps/step_runner.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::HttpStep;
using assay::plan::v1::LoadStep;
using assay::plan::v1::Named;
using std::chrono::microseconds;

namespace {

// Distinct messages of a load: templates are expanded for so many.
constexpr std::size_t kMessages = 20'000;
// Of the requests, this share is a span and tells the service so.
constexpr std::size_t kSampled = 100;
constexpr std::chrono::seconds kGrace{2};

bool IsFraction(std::string_view metric) {
  return metric == "errors" || metric == "achieved";
}

Expected<std::string> Write(const HttpRequest& request,
                            const std::string& host) {
  if (!request.parts.empty() || request.http2 || request.credentials) {
    return InvalidArgument(
        "a load sends HTTP/1.1 with a body of one part; credentials go into "
        "`bearer` or a header");
  }
  std::string out = request.method + " " + request.target +
                    " HTTP/1.1\r\nhost: " + host + "\r\n";
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of("\r\n") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      return InvalidArgument("a header of the load has a line break");
    }
    out += name + ": " + value + "\r\n";
  }
  if (request.body) {
    out += "content-length: " + std::to_string(request.body->size()) + "\r\n";
  }
  return out + "\r\n" + request.body.value_or("");
}

struct Prepared {
  LoadPlan plan;
  // By message: "GET /orders", and the span that it tells of, if it is sampled.
  std::vector<std::string> titles;
  std::vector<telemetry::TraceContext> spans;
};

Expected<Prepared> Prepare(const LoadStep& step, const Frame& frame,
                           const LoadContext& context, const HttpClient& client,
                           std::uint64_t seed) {
  Prepared prepared;
  LoadPlan& plan = prepared.plan;
  plan.warmup = ToMilliseconds(step.warmup());
  plan.due =
      PlanArrivals(step.rate(), plan.warmup + ToMilliseconds(step.duration()),
                   step.arrivals() == "poisson", seed);
  plan.grace = kGrace;
  plan.connections = step.connections();
  std::vector<double> weights;
  for (const auto& entry : step.mix()) weights.push_back(entry.weight());
  std::mt19937_64 random(seed + 1);
  std::discrete_distribution<int> choose(weights.begin(), weights.end());
  const std::string host = client.origin().substr(7);
  const std::size_t count =
      std::max<std::size_t>(1, std::min(kMessages, plan.due.size()));
  for (std::size_t i = 0; i < count; ++i) {
    ASSAY_ASSIGN_OR_RETURN(HttpRequest request,
                           MakeRequest(step.mix(choose(random)).request(),
                                       context.plan, frame.scope));
    telemetry::TraceContext span;
    if (i % kSampled == 0) {
      span = {context.tracer.trace_id(), telemetry::RandomBytes(8)};
      request.headers.emplace_back("traceparent",
                                   telemetry::FormatTraceparent(span));
    }
    ASSAY_ASSIGN_OR_RETURN(std::string message, Write(request, host));
    plan.messages.push_back(std::move(message));
    plan.is_head.push_back(request.method == "HEAD");
    plan.message_of.push_back(static_cast<std::uint32_t>(i));
    prepared.titles.push_back(
        request.method + " " +
        request.target.substr(0, request.target.find('?')));
    prepared.spans.push_back(std::move(span));
  }
  return prepared;
}

std::string Show(double figure, std::string_view name) {
  std::array<char, 32> text{};
  if (IsFraction(name)) {
    std::snprintf(text.data(), text.size(), "%.3f %%", figure * 100);
  } else {
    std::snprintf(text.data(), text.size(), "%.2f ms", figure);
  }
  return text.data();
}

// "1023:40 1279:3": how many latencies are at most so many microseconds, and
// above the bar before; what a reader of the trace draws.
std::string BarsText(const LatencyHistogram& latency) {
  std::string text;
  for (const LatencyHistogram::Bar& bar : latency.Bars()) {
    if (!text.empty()) text += ' ';
    text += std::to_string(bar.upper.count()) + ":" + std::to_string(bar.count);
  }
  return text;
}

void Describe(const LoadResult& result, telemetry::Span& span) {
  span.Set("assay.load.planned", result.planned);
  span.Set("assay.load.answered", result.answered);
  span.Set("assay.load.unsent", result.unsent);
  for (const char* name :
       {"p50", "p90", "p95", "p99", "p999", "max", "errors", "achieved"}) {
    span.Set(std::string("assay.load.") + name,
             Show(FigureOf(result, name), name));
  }
  span.Set("assay.load.histogram_us", BarsText(result.latency));
  const auto micros = [](microseconds time) {
    return static_cast<std::int64_t>(time.count());
  };
  span.Set("assay.load.service_p50_us",
           micros(result.service_time.Percentile(0.5)));
  span.Set("assay.load.service_p99_us",
           micros(result.service_time.Percentile(0.99)));
  span.Set("assay.load.lateness_p99_us",
           micros(result.lateness.Percentile(0.99)));
  span.Set("assay.load.host_stall_us", micros(result.host_stall));
  for (const auto& [kind, number] : result.errors) {
    span.Set("assay.load.errors." + kind, number);
  }
  for (const auto& [status, number] : result.statuses) {
    span.Set("assay.load.status." + std::to_string(status), number);
  }
}

// The slowest requests, as spans below the load's.
void RecordSlowest(const LoadResult& result, const Prepared& prepared,
                   const telemetry::TraceContext& below,
                   telemetry::Tracer& tracer) {
  const auto now = LoadPlan::Clock::now();
  const std::uint64_t nanos = telemetry::NowNanos();
  const auto wall = [&](LoadPlan::Clock::time_point time) {
    return nanos - static_cast<std::uint64_t>(
                       std::chrono::nanoseconds(now - time).count());
  };
  for (const LoadResult::Exemplar& slow : result.slowest) {
    const std::size_t message =
        prepared.plan
            .message_of[slow.request % prepared.plan.message_of.size()];
    telemetry::TraceContext context = prepared.spans[message];
    // A sampled message that was sent several times has one span.
    if (context.span_id.empty() || slow.request >= prepared.titles.size()) {
      context = {tracer.trace_id(), telemetry::RandomBytes(8)};
    }
    telemetry::Span span =
        tracer.StartAs(context, prepared.titles[message], below,
                       assay::otlp::v1::Span::SPAN_KIND_CLIENT, wall(slow.due));
    span.Set("assay.source", "wire");
    span.Set("assay.load.request", static_cast<std::int64_t>(slow.request));
    span.Set("assay.load.waited_us",
             static_cast<std::int64_t>(
                 std::chrono::duration_cast<microseconds>(slow.sent - slow.due)
                     .count()));
    if (slow.status != 0) span.Set("http.response.status_code", slow.status);
    if (slow.status == 0) span.Fail("no answer");
    span.EndAt(wall(slow.end));
  }
}

// What breaks `valid_if`, as a sentence.
std::string Invalid(const LoadStep& step, const LoadResult& result,
                    assertions::Evaluator& evaluator) {
  for (const Named& rule : step.valid_if()) {
    const microseconds figure = rule.name() == "host_stall_max"
                                    ? result.host_stall
                                    : result.lateness.Percentile(0.99);
    if (const auto failure =
            evaluator.Duration(rule.expectation(), rule.name(), figure)) {
      return failure->sentence;
    }
  }
  return "";
}

// Figures in a sentence, for whoever sets a limit.
std::string Summary(const LoadResult& result, double slowness) {
  std::string text;
  for (const char* name : {"p50", "p95", "p99", "max", "errors", "achieved"}) {
    text += (text.empty() ? "" : ", ") + std::string(name) + " " +
            Show(FigureOf(result, name), name);
  }
  if (slowness == 1) return text;
  std::array<char, 64> factor{};
  std::snprintf(factor.data(), factor.size(),
                "; judged as on a machine %.2f times as fast", slowness);
  return text + factor.data();
}

// A figure as it would be on the author's machine.
double Judged(const LoadResult& result, const std::string& name,
              double slowness) {
  const double figure = FigureOf(result, name);
  return IsFraction(name) ? figure : figure / slowness;
}

Outcome Judge(const LoadStep& step, const LoadResult& result, double slowness,
              assertions::Evaluator& evaluator) {
  for (const Named& rule : step.expect()) {
    const double figure = Judged(result, rule.name(), slowness);
    const auto failure =
        IsFraction(rule.name())
            ? evaluator.Number(rule.expectation(), rule.name(), figure)
            : evaluator.Duration(rule.expectation(), rule.name(),
                                 microseconds(static_cast<std::int64_t>(
                                     std::llround(figure * 1000))));
    if (!failure) continue;
    std::string kinds;
    for (const auto& [kind, number] : result.errors) {
      kinds += ", " + std::to_string(number) + " × " + kind;
    }
    return Failed(failure->sentence + " (" + std::to_string(result.planned) +
                      " planned, " + std::to_string(result.answered) +
                      " answered" + kinds + "; " + Summary(result, slowness) +
                      ")",
                  failure->position);
  }
  Outcome passed;
  passed.advice = Summary(result, slowness);
  return passed;
}

// Requests in flight overlap: nothing is one request's alone.
class Overlap {
 public:
  Overlap(telemetry::Correlation& correlation, Surroundings& surroundings,
          const telemetry::TraceContext& span)
      : correlation_(correlation),
        surroundings_(surroundings),
        one_(correlation.Enter(span)),
        two_(correlation.Enter(span)) {
    surroundings_.SetUnderLoad(true);
  }
  ~Overlap() {
    surroundings_.SetUnderLoad(false);
    correlation_.Leave(one_);
    correlation_.Leave(two_);
  }
  Overlap(const Overlap&) = delete;

 private:
  telemetry::Correlation& correlation_;
  Surroundings& surroundings_;
  const std::uint64_t one_;
  const std::uint64_t two_;
};

}  // namespace

double FigureOf(const LoadResult& result, std::string_view name) {
  const auto milliseconds = [](microseconds time) {
    return static_cast<double>(time.count()) / 1000;
  };
  const auto share = [&](std::int64_t part) {
    return result.planned == 0 ? 0
                               : static_cast<double>(part) /
                                     static_cast<double>(result.planned);
  };
  if (name == "p50") return milliseconds(result.latency.Percentile(0.5));
  if (name == "p90") return milliseconds(result.latency.Percentile(0.9));
  if (name == "p95") return milliseconds(result.latency.Percentile(0.95));
  if (name == "p99") return milliseconds(result.latency.Percentile(0.99));
  if (name == "p999") return milliseconds(result.latency.Percentile(0.999));
  if (name == "max") return milliseconds(result.latency.max());
  if (name == "errors") return share(result.failed());
  return share(result.answered);
}

double PartialShare(double figure, double full, double zero) {
  return std::clamp((zero - figure) / (zero - full), 0.0, 1.0);
}

asio::awaitable<LoadMeasurement> MeasureLoad(const LoadStep& step, Frame& frame,
                                             LoadContext context) {
  const auto none = [](Outcome why) {
    return LoadMeasurement{std::nullopt, std::move(why)};
  };
  if (step.mix_size() == 0) {
    co_return none(Errored("the load has nothing to send"));
  }
  const HttpStep& target = step.mix(0).request();
  auto client = context.surroundings.Http(target.service(), target.port());
  if (!client) co_return none(Errored(client.error().message));
  // The check's own seed, so that a run can be repeated.
  const nlohmann::json* run = frame.scope.Value("run");
  const std::uint64_t seed = run != nullptr && run->contains("seed")
                                 ? (*run)["seed"].get<std::uint64_t>()
                                 : 0;
  assertions::Evaluator evaluator(frame.scope, context.schemas);
  std::string invalid;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto needed = ToMilliseconds(step.warmup()) +
                        ToMilliseconds(step.duration()) + kGrace;
    if (attempt > 0 && frame.Left() < needed) break;
    auto prepared = Prepare(step, frame, context, **client, seed);
    if (!prepared) co_return none(Failed(prepared.error().message));
    telemetry::Span span = context.tracer.Start("load", frame.span);
    span.Set("assay.load.seed", static_cast<std::int64_t>(seed));
    LoadResult result;
    {
      const Overlap overlap(context.correlation, context.surroundings,
                            span.context());
      result = co_await GenerateLoad(prepared->plan, (*client)->network(),
                                     (*client)->port());
    }
    if (!result.problem.empty()) co_return none(Failed(result.problem));
    Describe(result, span);
    RecordSlowest(result, *prepared, span.context(), context.tracer);
    invalid = Invalid(step, result, evaluator);
    if (!invalid.empty()) {
      span.Fail(invalid);
      continue;
    }
    co_return LoadMeasurement{std::move(result), {}};
  }
  co_return none(Inconclusive("the measurement does not count: " + invalid));
}

asio::awaitable<Outcome> RunLoadStep(const LoadStep& step, Frame& frame,
                                     LoadContext context, double slowness) {
  LoadMeasurement measured = co_await MeasureLoad(step, frame, context);
  if (!measured.result) co_return std::move(measured.otherwise);
  assertions::Evaluator evaluator(frame.scope, context.schemas);
  Outcome outcome = Judge(step, *measured.result, slowness, evaluator);
  if (!outcome.passed() && !step.partial_metric().empty()) {
    outcome.share =
        PartialShare(Judged(*measured.result, step.partial_metric(), slowness),
                     step.partial_full(), step.partial_zero());
    outcome.by_itself = true;
  }
  co_return outcome;
}

}  // namespace assay::steps
