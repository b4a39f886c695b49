#include "runner/wires/postgres_tap.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runner/telemetry/trace_context.h"
#include "runner/wires/postgres_refusal.h"

namespace assay::wires {
namespace {

class Observer final : public RelayObserver {
 public:
  // `error`: the fault of that name, as it is now.
  using CurrentError = std::function<std::string()>;

  Observer(PostgresListener& listener, int connection, CurrentError error)
      : listener_(listener),
        connection_(connection),
        error_(std::move(error)) {}

  Passage OnClient(std::string_view bytes) override {
    if (Refuses()) return Refuse(bytes);
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
    listener_.OnPostgresClosed(connection_);
  }

 private:
  Moment Now() { return {telemetry::NowNanos(), listener_.Mark()}; }

  // Begins with the fault and ends with it, each at the next moment of rest.
  bool Refuses() {
    const std::string now = error_();
    if (refusing_.empty() ? session_.at_rest() : refusal_.idle()) {
      refusing_ = now;
    }
    return !refusing_.empty();
  }

  Passage Refuse(std::string_view bytes) {
    answer_ = refusal_.OnClient(bytes, refusing_, session_.transaction());
    for (const std::string& text : answer_.statements) {
      Statement statement;
      statement.text = text.empty() ? "(a prepared statement)" : text;
      statement.begin = Now();
      statement.end_nanos = statement.begin.nanos;
      statement.transaction = session_.transaction();
      statement.error_code = refusing_;
      statement.error_message = "injected by the assessment";
      listener_.OnPostgres(connection_, database_, statement);
    }
    return {answer_.on, answer_.back};
  }

  void Tell() {
    for (const PostgresEvent& event : session_.TakeEvents()) {
      if (const auto* started = std::get_if<SessionStarted>(&event)) {
        database_ = started->database;
      }
      listener_.OnPostgres(connection_, database_, event);
    }
  }

  PostgresListener& listener_;
  const int connection_;
  const CurrentError error_;
  std::string database_;
  PostgresSession session_;
  // The SQLSTATE that statements are answered with; empty: none is.
  std::string refusing_;
  PostgresRefusal refusal_;
  PostgresRefusal::Answer answer_;
};

}  // namespace

PostgresTap::PostgresTap(const boost::asio::any_io_executor& executor,
                         UniqueFd listening, Network& target,
                         std::uint16_t port, PostgresListener& listener)
    : wire_(executor, std::move(listening), target, port,
            [this, &listener]() -> std::unique_ptr<RelayObserver> {
              return std::make_unique<Observer>(
                  listener, ++connections_,
                  [this] { return wire_.faults().error; });
            }) {}

}  // namespace assay::wires
