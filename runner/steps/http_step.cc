#include "runner/steps/http_step.h"

#include <algorithm>
#include <utility>

#include "runner/steps/http_evidence.h"
#include "runner/steps/request.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::HttpStep;

namespace {

// What a redirected request becomes: GET without a body, but for 307 and 308.
void Redirect(HttpRequest& request, int status, std::string target) {
  request.target = std::move(target);
  if (status == 307 || status == 308) return;
  if (request.method != "HEAD") request.method = "GET";
  request.body.reset();
  request.parts.clear();
  std::erase_if(request.headers, [](const auto& header) {
    return header.first == "content-type";
  });
}

std::string WithoutQuery(const std::string& target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

Outcome FromFailures(const std::vector<assertions::Failure>& failures) {
  if (failures.empty()) return {};
  std::string reason = failures.front().sentence;
  if (failures.size() > 1) {
    reason += " (and " + std::to_string(failures.size() - 1) + " more)";
  }
  Outcome outcome = Failed(std::move(reason), failures.front().position);
  outcome.diff = failures.front().diff;
  return outcome;
}

HttpSteps::HttpSteps(const assay::plan::v1::Plan& plan,
                     Surroundings& surroundings, assertions::Schemas& schemas,
                     telemetry::Tracer& tracer,
                     telemetry::Correlation& correlation,
                     telemetry::Redactor& redactor)
    : plan_(plan),
      surroundings_(surroundings),
      schemas_(schemas),
      tracer_(tracer),
      correlation_(correlation),
      redactor_(redactor) {}

asio::awaitable<Outcome> HttpSteps::Run(const HttpStep& step, Frame& frame,
                                        std::chrono::milliseconds limit,
                                        int* status) {
  auto client = surroundings_.Http(step.service(), step.port());
  if (!client) co_return Errored(client.error().message);
  auto request = MakeRequest(step, plan_, frame.scope);
  // A capture that did not happen, most likely: the check's own affair.
  if (!request) co_return Failed(request.error().message);
  request->timeout = limit;
  request->prepared_connection =
      std::exchange(frame.prepared_connection, false);
  if (step.cookies()) request->cookies = &frame.cookies;

  HttpResult result =
      co_await Send(step, *std::move(request), **client, frame.span);
  if (status != nullptr) *status = result.answer.status;
  if (frame.answer != nullptr) *frame.answer = result.answer;
  if (result.kind != HttpResult::Kind::kAnswered) {
    co_return co_await Explain(step, std::move(result));
  }
  assertions::Evaluator evaluator(frame.scope, schemas_);
  Outcome outcome = FromFailures(evaluator.Http(step.expect(), result.answer));
  if (!outcome.passed()) co_return outcome;
  co_return Capture(step, result.answer, frame);
}

asio::awaitable<HttpResult> HttpSteps::Send(
    const HttpStep& step, HttpRequest request, HttpClient& client,
    const telemetry::TraceContext& parent) {
  for (int hop = 0;; ++hop) {
    HttpResult result = co_await Exchange(step, request, client, parent);
    if (result.redirect.empty() || hop >= step.redirects()) co_return result;
    auto target = TargetOnTheWire(result.redirect, client.origin());
    if (!target) {
      result.kind = HttpResult::Kind::kMalformed;
      result.problem = target.error().message;
      co_return result;
    }
    Redirect(request, result.answer.status, *std::move(target));
  }
}

asio::awaitable<HttpResult> HttpSteps::Exchange(
    const HttpStep& step, const HttpRequest& request, HttpClient& client,
    const telemetry::TraceContext& parent) {
  const std::string path = WithoutQuery(request.target);
  telemetry::Span span = tracer_.Start(request.method + " " + path, parent,
                                       assay::otlp::v1::Span::SPAN_KIND_CLIENT);
  span.Set("http.request.method", request.method);
  span.Set("url.path", path);
  if (path.size() < request.target.size()) {
    span.Set("url.query",
             std::string_view(request.target).substr(path.size() + 1));
  }
  const bool traced = std::ranges::any_of(
      request.headers, [](const auto& h) { return h.first == "traceparent"; });
  HttpRequest sent = request;
  if (!traced) {
    sent.headers.emplace_back("traceparent",
                              telemetry::FormatTraceparent(span.context()));
  }
  const std::uint64_t number = correlation_.Enter(span.context());
  Observations& seen = surroundings_.observations();
  if (seen.requests.size() < Observations::kMost) {
    seen.requests.push_back({.number = number,
                             .title = request.method + " " + path,
                             .span_id = span.context().span_id});
  }
  const std::string title = request.method + " " + path;
  HttpResult result = co_await client.Perform(std::move(sent));
  correlation_.Leave(number);
  result.request = title;

  if (result.answer.status != 0) {
    span.Set("http.response.status_code", result.answer.status);
  }
  span.Set("http.response.body.size",
           static_cast<std::int64_t>(result.answer.body.size()));
  span.Set("assay.source", "wire");
  // Before anything of the answer is written down.
  HideCaptures(step, result.answer);
  span.Set("assay.http.request", ShowRequest(request, result.sent_cookies));
  if (result.answer.status != 0) {
    span.Set("assay.http.response", ShowAnswer(result.answer));
  }
  span.Set("assay.http.first_byte_us",
           static_cast<std::int64_t>(result.first_byte.count()));
  if (result.kind != HttpResult::Kind::kAnswered) {
    span.Fail(result.problem);
  } else if (result.answer.status >= 500) {
    span.Set("error.type", std::to_string(result.answer.status));
    span.Fail("");
  }
  co_return result;
}

asio::awaitable<Outcome> HttpSteps::Explain(const HttpStep& step,
                                            HttpResult result) {
  using Kind = HttpResult::Kind;
  switch (result.kind) {
    case Kind::kTimedOut:
      co_return TimedOut(result.problem);
    case Kind::kImpossible:
      co_return Errored(result.problem);
    case Kind::kRefused:
    case Kind::kClosed: {
      const auto death = co_await surroundings_.DeathOf(step.service());
      if (death) {
        co_return Failed("the service " + *death + " while answering " +
                         result.request);
      }
      co_return Failed(result.problem);
    }
    default:
      co_return Failed(result.problem);
  }
}

// An answer that is not as expected is shown, and what would have been captured
// as a secret is in it.
void HttpSteps::HideCaptures(const HttpStep& step,
                             const assertions::HttpAnswer& answer) {
  for (const auto& capture : step.captures()) {
    if (!capture.secret() || capture.has_cookie()) continue;
    const auto value = assertions::TakeCapture(capture, answer);
    if (!value) continue;
    redactor_.Add(capture.name(), value->is_string() ? value->get<std::string>()
                                                     : value->dump());
  }
}

Outcome HttpSteps::Capture(const HttpStep& step,
                           const assertions::HttpAnswer& answer, Frame& frame) {
  for (const auto& capture : step.captures()) {
    nlohmann::json value;
    if (capture.has_cookie()) {
      auto cookie = frame.cookies.Find(capture.cookie());
      if (!cookie) {
        return Failed("expected a cookie " + capture.cookie() + ", got none",
                      capture.position());
      }
      value = *std::move(cookie);
    } else {
      auto taken = assertions::TakeCapture(capture, answer);
      if (!taken) {
        return Failed(taken.error().sentence, capture.position());
      }
      value = *std::move(taken);
    }
    if (capture.secret()) {
      redactor_.Add(capture.name(), value.is_string() ? value.get<std::string>()
                                                      : value.dump());
    }
    frame.scope.Set(capture.name(), std::move(value));
  }
  return {};
}

}  // namespace assay::steps
