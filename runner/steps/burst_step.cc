#include "runner/steps/burst_step.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <utility>
#include <vector>

#include "runner/assertions/evaluator.h"
#include "runner/steps/request.h"
#include "runner/suite/jsonpath.h"
#include "runner/wires/spawn.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::BurstStep;
using assay::plan::v1::HttpStep;

namespace {

// A server that takes no second connection before it has read from the first
// would wait for us as we wait for it.
constexpr std::chrono::milliseconds kOpening{250};

std::string ListCounts(const std::map<std::string, int>& counts) {
  std::string list;
  for (auto it = counts.begin(); it != counts.end(); ++it) {
    if (it != counts.begin()) {
      list += std::next(it) == counts.end() ? " and " : ", ";
    }
    list += std::to_string(it->second) + " × " + it->first;
  }
  return list.empty() ? "nothing" : list;
}

bool Matches(const std::string& key, int status) {
  if (key.size() == 3 && key.ends_with("xx")) {
    return status / 100 == key[0] - '0';
  }
  return key == std::to_string(status);
}

// The requests of a burst and what came of them.
struct Burst {
  explicit Burst(asio::any_io_executor executor)
      : finished(std::move(executor), asio::steady_timer::time_point::max()) {}

  std::vector<HttpRequest> requests;
  std::vector<HttpResult> results;
  std::size_t next = 0;
  int workers = 0;
  asio::steady_timer finished;
};

asio::awaitable<void> Work(Burst& burst, HttpSteps& http, const HttpStep& step,
                           HttpClient& client,
                           const telemetry::TraceContext& parent) {
  while (burst.next < burst.requests.size()) {
    const std::size_t mine = burst.next++;
    burst.results[mine] = co_await http.Send(
        step, std::move(burst.requests[mine]), client, parent);
  }
  if (--burst.workers == 0) burst.finished.cancel();
}

// The values at `path` must differ between the answers.
Outcome CheckDistinct(const BurstStep& step,
                      const std::vector<HttpResult>& results) {
  auto path = suite::JsonPath::Parse(step.distinct());
  if (!path) return Errored(path.error().message);
  std::set<std::string> seen;
  for (const HttpResult& result : results) {
    const auto body = nlohmann::json::parse(result.answer.body, nullptr, false);
    if (body.is_discarded()) continue;
    const auto nodes = path->Select(body);
    if (!nodes) return Failed(nodes.error().message, step.expect_position());
    for (const auto& node : *nodes) {
      if (!seen.insert(node.value->dump()).second) {
        return Failed("expected " + step.distinct() +
                          " to differ between the answers, got " +
                          node.value->dump().substr(0, 100) + " more than once",
                      step.expect_position());
      }
    }
  }
  return {};
}

// What each answer has to be.
Outcome CheckEach(const HttpStep& request, const Frame& frame,
                  assertions::Schemas& schemas,
                  const std::vector<HttpResult>& results) {
  assertions::Evaluator evaluator(frame.scope, schemas);
  for (const HttpResult& result : results) {
    Outcome outcome =
        FromFailures(evaluator.Http(request.expect(), result.answer));
    if (!outcome.passed()) return outcome;
  }
  return {};
}

}  // namespace

Outcome CheckTogether(const BurstStep& step,
                      const std::vector<HttpResult>& results) {
  std::map<int, int> counts;
  for (const HttpResult& result : results) ++counts[result.answer.status];
  if (!step.statuses().empty()) {
    std::string difference = CompareStatuses(step.statuses(), counts);
    if (!difference.empty()) {
      return Failed(std::move(difference), step.expect_position());
    }
  }
  return step.distinct().empty() ? Outcome{} : CheckDistinct(step, results);
}

Outcome CheckWithin(const BurstStep& step, const Frame& frame,
                    assertions::Schemas& schemas,
                    std::chrono::steady_clock::duration took) {
  if (!step.has_within()) return {};
  assertions::Evaluator evaluator(frame.scope, schemas);
  const std::chrono::microseconds within{step.within().seconds() * 1'000'000 +
                                         step.within().nanos() / 1000};
  const auto late = evaluator.Within(
      within, step.expect_position(),
      std::chrono::duration_cast<std::chrono::microseconds>(took));
  return late ? FromFailures({*late}) : Outcome{};
}

std::string CompareStatuses(
    const google::protobuf::Map<std::string, std::int32_t>& expected,
    const std::map<int, int>& counts) {
  std::map<std::string, int> want(expected.begin(), expected.end());
  std::map<std::string, int> got;
  std::map<int, int> left = counts;
  for (const auto& [key, count] : want) {
    for (auto& [status, number] : left) {
      if (Matches(key, status)) got[key] += std::exchange(number, 0);
    }
  }
  bool agree = true;
  for (const auto& [key, count] : want) agree &= got[key] == count;
  std::map<std::string, int> seen;
  for (const auto& [status, number] : left) agree &= number == 0;
  if (agree) return "";
  for (const auto& [status, number] : counts) {
    seen[status == 0 ? "no answer" : std::to_string(status)] = number;
  }
  return "expected " + ListCounts(want) + ", got " + ListCounts(seen);
}

asio::awaitable<Outcome> RunBurstStep(const BurstStep& step, Frame& frame,
                                      Surroundings& surroundings,
                                      HttpSteps& http,
                                      assertions::Schemas& schemas,
                                      telemetry::Tracer& tracer,
                                      std::chrono::milliseconds limit) {
  const HttpStep& request = step.steps(0).http();
  auto client = surroundings.Http(request.service(), request.port());
  if (!client) co_return Errored(client.error().message);

  const auto executor = co_await asio::this_coro::executor;
  Burst burst(executor);
  const auto times = static_cast<std::size_t>(step.times());
  const int at_once = std::min(step.times(), std::max(1, step.at_once()));
  for (std::size_t i = 0; i < times; ++i) {
    auto made = MakeRequest(request, http.plan(), frame.scope);
    if (!made) co_return Failed(made.error().message);
    made->timeout = limit;
    made->prepared_connection =
        at_once > 1 && i < static_cast<std::size_t>(at_once);
    burst.requests.push_back(*std::move(made));
  }
  burst.results.resize(times);

  telemetry::Span span = tracer.Start("burst", frame.span);
  span.Set("assay.burst.times", step.times());
  span.Set("assay.burst.at_once", at_once);
  if (at_once > 1) {
    span.Set("assay.burst.opened_beforehand",
             co_await (*client)->PrepareConnections(at_once, kOpening));
  }
  const auto begin = std::chrono::steady_clock::now();
  burst.workers = at_once;
  for (int i = 0; i < at_once; ++i) {
    wires::Spawn(executor,
                 Work(burst, http, request, **client, span.context()));
  }
  while (burst.workers > 0) {
    co_await burst.finished.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  const auto took = std::chrono::steady_clock::now() - begin;

  // A service that died explains every broken connection.
  for (HttpResult& result : burst.results) {
    const auto kind = result.kind;
    if (kind == HttpResult::Kind::kImpossible ||
        kind == HttpResult::Kind::kClosed ||
        kind == HttpResult::Kind::kRefused) {
      Outcome outcome = co_await http.Explain(request, result);
      if (outcome.verdict == assay::v1::VERDICT_ERRORED ||
          outcome.reason != result.problem) {
        co_return outcome;
      }
      break;
    }
  }
  Outcome outcome = CheckTogether(step, burst.results);
  if (outcome.passed()) {
    outcome = CheckEach(request, frame, schemas, burst.results);
  }
  if (outcome.passed()) outcome = CheckWithin(step, frame, schemas, took);
  co_return outcome;
}

}  // namespace assay::steps
