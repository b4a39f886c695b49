#include "runner/steps/crash_step.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "runner/steps/request.h"
#include "runner/suite/jsonpath.h"
#include "runner/wires/spawn.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::RestartStep;
using nlohmann::json;
using std::chrono::steady_clock;

namespace {

// Of ids in a sentence.
constexpr std::size_t kNamed = 5;

// Ids as text, so that a number of a database and one of JSON are the same.
std::string AsText(const json& id) {
  return id.is_string() ? id.get<std::string>() : id.dump();
}

Expected<std::vector<std::string>> IdsOf(const std::string& query,
                                         const std::string& body) {
  ASSAY_ASSIGN_OR_RETURN(const auto path, suite::JsonPath::Parse(query));
  const json document = json::parse(body, nullptr, false);
  if (document.is_discarded()) return InvalidArgument("the answer is no JSON");
  ASSAY_ASSIGN_OR_RETURN(const auto nodes, path.Select(document));
  std::vector<std::string> ids;
  for (const auto& node : nodes) ids.push_back(AsText(*node.value));
  return ids;
}

// Requests under way, and what became of them.
struct Traffic {
  Traffic(asio::any_io_executor executor, const RestartStep& step)
      : step(step), news(std::move(executor)) {}

  bool over() const {
    return sent >= step.traffic().times() || !problem.empty() ||
           steady_clock::now() >= deadline;
  }
  bool due() const {
    return answered >= step.traffic().acknowledged() || workers == 0;
  }
  // For news, or for the deadline. Several wait at once: whoever set the timer
  // would wake the others.
  asio::awaitable<void> Wait() {
    co_await news.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  const RestartStep& step;
  steady_clock::time_point deadline;
  asio::steady_timer news;
  int workers = 0;
  int sent = 0;
  int answered = 0;
  int unanswered = 0;
  // Between the kill and the new start.
  bool down = false;
  std::vector<std::string> acknowledged;
  // An answer that cannot be a write: nothing can be said of it.
  std::string problem;
};

void Take(const HttpResult& result, Traffic& traffic) {
  const int status = result.answer.status;
  if (result.kind != HttpResult::Kind::kAnswered || status < 200 ||
      status > 299) {
    ++traffic.unanswered;
    return;
  }
  ++traffic.answered;
  if (!traffic.step.has_history()) return;
  const std::string& query = traffic.step.history().id();
  const auto ids = IdsOf(query, result.answer.body);
  if (ids && ids->size() == 1) {
    traffic.acknowledged.push_back(ids->front());
  } else {
    traffic.problem = result.request + " was acknowledged without one " +
                      query + (ids ? "" : ": " + ids.error().message);
  }
}

asio::awaitable<void> Work(Traffic& traffic, const Frame& frame,
                           HttpSteps& http, HttpClient& client,
                           telemetry::TraceContext parent) {
  while (!traffic.over()) {
    if (traffic.down) {
      co_await traffic.Wait();
      continue;
    }
    ++traffic.sent;
    auto request =
        MakeRequest(traffic.step.traffic().request(), http.plan(), frame.scope);
    if (!request) {
      traffic.problem = request.error().message;
      break;
    }
    request->timeout =
        std::max(std::chrono::milliseconds(1),
                 std::chrono::duration_cast<std::chrono::milliseconds>(
                     traffic.deadline - steady_clock::now()));
    Take(co_await http.Send(traffic.step.traffic().request(),
                            *std::move(request), client, parent),
         traffic);
    if (traffic.due()) traffic.news.cancel();
  }
  --traffic.workers;
  traffic.news.cancel();
}

// The ids that are there.
asio::awaitable<Expected<std::vector<std::string>>> ReadHistory(
    const RestartStep::History& history, Frame& frame,
    Surroundings& surroundings, HttpSteps& http,
    std::chrono::milliseconds limit) {
  if (history.has_request()) {
    assertions::HttpAnswer answer;
    assertions::HttpAnswer* const outer = std::exchange(frame.answer, &answer);
    const Outcome got =
        co_await http.Run(history.request(), frame, limit, nullptr);
    frame.answer = outer;
    if (!got.passed()) co_return FailedPrecondition(got.reason);
    co_return IdsOf(history.ids(), answer.body);
  }
  const auto rows = co_await surroundings.Sql(
      history.target(), history.statement(), {}, steady_clock::now() + limit);
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->error) co_return FailedPrecondition(rows->error->message);
  std::vector<std::string> ids;
  for (const auto& row : rows->rows) {
    if (!row.empty() && row[0]) ids.push_back(*row[0]);
  }
  co_return ids;
}

asio::awaitable<Outcome> Crash(Traffic& traffic, Frame& frame,
                               Surroundings& surroundings) {
  while (!traffic.due() && steady_clock::now() < traffic.deadline) {
    co_await traffic.Wait();
  }
  if (traffic.answered < traffic.step.traffic().acknowledged()) {
    co_return Failed("only " + std::to_string(traffic.answered) + " of " +
                     std::to_string(traffic.sent) +
                     " requests were acknowledged, and it is killed after " +
                     std::to_string(traffic.step.traffic().acknowledged()));
  }
  traffic.down = true;
  Status status = co_await surroundings.Kill(traffic.step.target());
  if (status) {
    status = co_await surroundings.Heal(traffic.step.target(), frame.deadline);
  }
  traffic.down = false;
  traffic.news.cancel();
  if (status) co_return Outcome{};
  co_return status.error().code == Code::kFailedPrecondition
      ? Failed(status.error().message)
      : Errored(status.error().message);
}

void Describe(const Traffic& traffic, telemetry::Span& span) {
  span.Set("assay.crash.sent", traffic.sent);
  span.Set("assay.crash.acknowledged", traffic.answered);
  span.Set("assay.crash.unanswered", traffic.unanswered);
}

std::string Few(const std::vector<std::string>& ids) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kNamed, ids.size()); ++i) {
    text += (i == 0 ? "" : ", ") + ids[i].substr(0, 60);
  }
  return ids.size() > kNamed ? text + ", ..." : text;
}

}  // namespace

std::string CompareHistory(const std::vector<std::string>& acknowledged,
                           const std::vector<std::string>& there) {
  std::map<std::string, int> times;
  for (const std::string& id : there) ++times[id];
  std::vector<std::string> lost;
  std::map<std::string, int> told;
  for (const std::string& id : acknowledged) {
    ++told[id];
    if (!times.contains(id)) lost.push_back(id);
  }
  if (!lost.empty()) {
    return std::to_string(lost.size()) + " of " +
           std::to_string(acknowledged.size()) +
           " acknowledged writes are lost: " + Few(lost);
  }
  std::vector<std::string> twice;
  for (const auto& [id, number] : times) {
    if (number > 1) twice.push_back(id);
  }
  if (!twice.empty()) return "there more than once: " + Few(twice);
  for (const auto& [id, number] : told) {
    if (number > 1) twice.push_back(id);
  }
  if (!twice.empty()) return "acknowledged more than once: " + Few(twice);
  return "";
}

asio::awaitable<Outcome> RunCrashStep(const RestartStep& step, Frame& frame,
                                      Surroundings& surroundings,
                                      HttpSteps& http,
                                      telemetry::Tracer& tracer,
                                      std::chrono::milliseconds limit) {
  const auto& request = step.traffic().request();
  auto client = surroundings.Http(request.service(), request.port());
  if (!client) co_return Errored(client.error().message);
  const auto executor = co_await asio::this_coro::executor;
  Traffic traffic(executor, step);
  traffic.deadline = std::min(frame.deadline, steady_clock::now() + limit);
  traffic.news.expires_at(traffic.deadline);
  telemetry::Span span = tracer.Start("traffic", frame.span);
  traffic.workers = step.traffic().at_once();
  for (int i = 0; i < step.traffic().at_once(); ++i) {
    wires::Spawn(executor,
                 Work(traffic, frame, http, **client, span.context()));
  }
  Outcome outcome = co_await Crash(traffic, frame, surroundings);
  if (!outcome.passed() && traffic.problem.empty()) {
    traffic.problem = outcome.reason;
  }
  traffic.news.expires_at(asio::steady_timer::time_point::max());
  while (traffic.workers > 0) {
    co_await traffic.news.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  Describe(traffic, span);
  span.End();
  if (!outcome.passed()) co_return outcome;
  if (!traffic.problem.empty()) co_return Failed(traffic.problem);
  if (!step.has_history()) co_return Outcome{};
  const auto there =
      co_await ReadHistory(step.history(), frame, surroundings, http, limit);
  if (!there) {
    co_return Failed("the history cannot be read: " + there.error().message,
                     step.history().position());
  }
  std::string difference = CompareHistory(traffic.acknowledged, *there);
  if (!difference.empty()) {
    co_return Failed(std::move(difference), step.history().position());
  }
  Outcome passed;
  passed.advice = std::to_string(traffic.acknowledged.size()) +
                  " acknowledged writes are there, " +
                  std::to_string(traffic.unanswered) +
                  " requests were taken along by the crash";
  co_return passed;
}

}  // namespace assay::steps
