#include "runner/steps/stream_step.h"

#include <optional>
#include <utility>

#include "runner/assertions/evaluator.h"
#include "runner/steps/request.h"
#include "runner/steps/stream_connection.h"
#include "runner/wires/dial.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::StreamStep;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Exchange = StreamStep::Exchange;

namespace {

constexpr std::size_t kShown = 200;

std::string Base64(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits =
          bits << 8 |
          (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j <= text.size() ? kLetters[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

// What was passed over while something else was waited for.
struct Waiting {
  int messages = 0;
  std::string last;
  // Why the last one was not it.
  std::string difference;

  std::string Describe() const {
    if (messages == 0) return "no message came";
    return (messages == 1 ? "one message came"
                          : std::to_string(messages) + " messages came") +
           ", the last " + last.substr(0, kShown) + ": " + difference;
  }
};

class Conversation {
 public:
  Conversation(const StreamStep& step, Frame& frame, HttpSteps& http,
               assertions::Schemas& schemas, telemetry::Redactor& redactor,
               StreamConnection& connection, steady_clock::time_point deadline)
      : step_(step),
        frame_(frame),
        http_(http),
        schemas_(schemas),
        redactor_(redactor),
        connection_(connection),
        deadline_(deadline) {}

  asio::awaitable<Outcome> Run() {
    for (const Exchange& exchange : step_.exchanges()) {
      Outcome outcome = co_await RunOne(exchange);
      if (outcome.passed()) continue;
      if (outcome.position.line() == 0) outcome.position = exchange.position();
      co_return outcome;
    }
    co_return Outcome{};
  }

 private:
  asio::awaitable<Outcome> RunOne(const Exchange& exchange) {
    switch (exchange.act_case()) {
      case Exchange::kText: {
        auto text = suite::ExpandText(exchange.text(), frame_.scope);
        if (!text) co_return Failed(text.error().message);
        co_return co_await Send(*std::move(text));
      }
      case Exchange::kJson: {
        auto value = suite::ExpandJsonText(exchange.json(), frame_.scope);
        if (!value) co_return Failed(value.error().message);
        co_return co_await Send(value->dump());
      }
      case Exchange::kRequest: {
        const auto left = std::chrono::duration_cast<milliseconds>(
            deadline_ - steady_clock::now());
        co_return co_await http_.Run(exchange.request().http(), frame_,
                                     std::max(milliseconds(1), left));
      }
      case Exchange::kExpect:
        co_return co_await Expect(exchange);
      case Exchange::kClose:
        co_return co_await Close(exchange.close());
      case Exchange::ACT_NOT_SET:
        break;
    }
    co_return Errored("an exchange of the plan is empty");
  }

  asio::awaitable<Outcome> Send(std::string text) {
    const std::string problem = co_await connection_.Send(std::move(text));
    co_return problem.empty() ? Outcome{} : Failed("not sent: " + problem);
  }

  asio::awaitable<Outcome> Expect(const Exchange& exchange) {
    const auto begin = steady_clock::now();
    Waiting waiting;
    while (true) {
      const Received received = co_await connection_.Next();
      if (received.kind != Received::Kind::kMessage) {
        co_return Ended(received, "the expected message", waiting);
      }
      ++waiting.messages;
      waiting.last = received.text;
      if (!exchange.event().empty() && received.event != exchange.event()) {
        waiting.difference = "it is a \"" + received.event + "\"";
        continue;
      }
      assertions::HttpAnswer answer{.status = 200, .body = received.text};
      answer.duration = std::chrono::duration_cast<std::chrono::microseconds>(
          steady_clock::now() - begin);
      assertions::Evaluator evaluator(frame_.scope, schemas_);
      Outcome outcome = FromFailures(evaluator.Http(exchange.expect(), answer));
      if (outcome.passed()) co_return Capture(exchange, received.text);
      waiting.difference = outcome.reason;
    }
  }

  asio::awaitable<Outcome> Close(int code) {
    Waiting waiting;
    while (true) {
      const Received received = co_await connection_.Next();
      if (received.kind == Received::Kind::kMessage) continue;
      if (received.kind != Received::Kind::kClosed) {
        co_return Ended(received, "the close", waiting);
      }
      if (received.code == code) co_return Outcome{};
      co_return Failed("expected a close with code " + std::to_string(code) +
                       ", got " + std::to_string(received.code));
    }
  }

  static Outcome Ended(const Received& received, const std::string& wanted,
                       const Waiting& waiting) {
    const std::string what = wanted == "the close" ? "" : waiting.Describe();
    switch (received.kind) {
      case Received::Kind::kTimedOut:
        return TimedOut(wanted + " did not come in time" +
                        (what.empty() ? "" : "; ") + what);
      case Received::Kind::kClosed:
        return Failed("the service closed the connection before " + wanted +
                      (what.empty() ? "" : "; ") + what);
      default:
        return Failed("the connection broke before " + wanted + ": " +
                      received.text);
    }
  }

  Outcome Capture(const Exchange& exchange, const std::string& text) {
    if (exchange.captures_size() == 0) return {};
    const auto document = nlohmann::json::parse(text, nullptr, false);
    for (const auto& capture : exchange.captures()) {
      auto taken = assertions::TakeCapture(capture, document);
      if (!taken) return Failed(taken.error().sentence, capture.position());
      if (capture.secret()) {
        redactor_.Add(capture.name(), taken->is_string()
                                          ? taken->get<std::string>()
                                          : taken->dump());
      }
      frame_.scope.Set(capture.name(), *std::move(taken));
    }
    return {};
  }

  const StreamStep& step_;
  Frame& frame_;
  HttpSteps& http_;
  assertions::Schemas& schemas_;
  telemetry::Redactor& redactor_;
  StreamConnection& connection_;
  const steady_clock::time_point deadline_;
};

}  // namespace

asio::awaitable<Outcome> RunStreamStep(const StreamStep& step, Frame& frame,
                                       Surroundings& surroundings,
                                       HttpSteps& http,
                                       assertions::Schemas& schemas,
                                       telemetry::Redactor& redactor,
                                       milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  auto place = surroundings.At(step.open().service(), step.open().port());
  if (!place) co_return Errored(place.error().message);
  auto request = MakeRequest(step.open(), http.plan(), frame.scope);
  if (!request) co_return Failed(request.error().message);
  if (request->credentials) {
    request->headers.emplace_back(
        "authorization", "Basic " + Base64(request->credentials->user + ":" +
                                           request->credentials->password));
  }
  request->headers.emplace_back("traceparent",
                                telemetry::FormatTraceparent(frame.span));
  auto socket = co_await wires::Dial(*place->network, place->port, limit);
  if (!socket) {
    const auto death = co_await surroundings.DeathOf(step.open().service());
    co_return Failed(death ? "the service " + *death
                           : "no connection for " + step.open().path() +
                                 ": nothing listens on the port");
  }
  const std::string host = "127.0.0.1:" + std::to_string(place->port);
  Opened opened =
      step.events()
          ? co_await OpenEvents(*std::move(socket), *std::move(request), host,
                                deadline)
          : co_await OpenWebSocket(*std::move(socket), *std::move(request),
                                   host, deadline);
  if (opened.connection == nullptr) {
    co_return opened.timed_out
        ? TimedOut("the connection was not opened in time")
        : Failed(opened.problem);
  }
  Conversation conversation(step, frame, http, schemas, redactor,
                            *opened.connection, deadline);
  Outcome outcome = co_await conversation.Run();
  if (outcome.verdict == assay::v1::VERDICT_FAILED) {
    if (const auto death =
            co_await surroundings.DeathOf(step.open().service())) {
      outcome.reason =
          "the service " + *death + " while " +
          (step.events() ? "events were read" : "a WebSocket was open") + "; " +
          outcome.reason;
    }
  }
  co_return outcome;
}

}  // namespace assay::steps
