#include "runner/wires/redis_tap.h"

#include <memory>
#include <string>
#include <utility>

#include "runner/telemetry/trace_context.h"

namespace assay::wires {
namespace {

class Observer final : public RelayObserver {
 public:
  Observer(RedisListener& listener, int connection)
      : listener_(listener), connection_(connection) {}

  Passage OnClient(std::string_view bytes) override {
    if (!session_.fell_back()) {
      session_.OnClient(bytes, Now());
      Tell();
    }
    return {bytes, {}};
  }
  void OnServer(std::string_view bytes) override {
    if (session_.fell_back()) return;
    session_.OnServer(bytes, Now());
    Tell();
  }
  void OnClose() override {
    session_.OnClose(Now());
    Tell();
  }

 private:
  Moment Now() { return {telemetry::NowNanos(), listener_.Mark()}; }
  void Tell() {
    for (const RedisEvent& event : session_.TakeEvents()) {
      listener_.OnRedis(connection_, event);
    }
  }

  RedisListener& listener_;
  const int connection_;
  RedisSession session_;
};

// Arguments are credentials.
bool IsLogin(const RedisCommand& command) {
  return command.name == "AUTH" || command.name == "HELLO";
}

std::string ShowCommand(const RedisCommand& command) {
  std::string text = command.name;
  for (std::size_t i = 0; i < command.arguments.size(); ++i) {
    text += i == 0 && !IsLogin(command) ? " " + command.arguments[0] : " ?";
  }
  return text;
}

}  // namespace

RedisTap::RedisTap(const boost::asio::any_io_executor& executor,
                   UniqueFd listening, Network& target, std::uint16_t port,
                   RedisListener& listener)
    : wire_(executor, std::move(listening), target, port,
            [this, &listener]() -> std::unique_ptr<RelayObserver> {
              return std::make_unique<Observer>(listener, ++connections_);
            }) {}

void RecordCommand(telemetry::Tracer& tracer, std::string_view wire,
                   const RedisCommand& command,
                   const telemetry::Correlation::Place& place) {
  using Kind = telemetry::Correlation::Place::Kind;
  telemetry::Span span = tracer.Start(command.name, place.span,
                                      assay::otlp::v1::Span::SPAN_KIND_CLIENT,
                                      command.begin.nanos);
  span.Set("db.system.name", "redis");
  span.Set("db.operation.name", command.name);
  span.Set("db.query.text", ShowCommand(command));
  if (!IsLogin(command)) {
    for (std::size_t i = 1; i < command.arguments.size(); ++i) {
      span.Set("db.query.parameter." + std::to_string(i), command.arguments[i]);
    }
  }
  span.Set("assay.source", "tap");
  span.Set("assay.wire", wire);
  span.Set("assay.correlation", place.kind == Kind::kRequest ? "exact"
                                : place.kind == Kind::kIdle  ? "idle"
                                                             : "ambiguous");
  span.Set("assay.db.bytes", command.reply_bytes);
  span.Set("db.response.returned_rows", command.reply_count);
  if (!command.error.empty()) {
    const std::string code = command.error.substr(0, command.error.find(' '));
    span.Set("db.response.status_code", code);
    span.Set("error.type", code);
    span.Fail(command.error);
  } else if (command.unanswered) {
    span.Set("error.type", "connection_closed");
    span.Fail("the connection ended before a reply");
  }
  span.EndAt(command.end_nanos);
}

}  // namespace assay::wires
