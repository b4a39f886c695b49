#include "runner/wires/postgres_tap.h"

#include <memory>
#include <utility>

#include "runner/telemetry/trace_context.h"

namespace assay::wires {
namespace {

class Observer final : public RelayObserver {
 public:
  Observer(PostgresListener& listener, int connection)
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
    for (const PostgresEvent& event : session_.TakeEvents()) {
      if (const auto* started = std::get_if<SessionStarted>(&event)) {
        database_ = started->database;
      }
      listener_.OnPostgres(connection_, database_, event);
    }
  }

  PostgresListener& listener_;
  const int connection_;
  std::string database_;
  PostgresSession session_;
};

}  // namespace

PostgresTap::PostgresTap(const boost::asio::any_io_executor& executor,
                         UniqueFd listening, Network& target,
                         std::uint16_t port, PostgresListener& listener)
    : wire_(executor, std::move(listening), target, port,
            [this, &listener]() -> std::unique_ptr<RelayObserver> {
              return std::make_unique<Observer>(listener, ++connections_);
            }) {}

}  // namespace assay::wires
