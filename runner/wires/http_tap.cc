#include "runner/wires/http_tap.h"

#include <memory>
#include <utility>

#include "runner/telemetry/trace_context.h"
#include "runner/wires/http_session.h"

namespace assay::wires {
namespace {

class Observer final : public RelayObserver, private HttpEvents {
 public:
  Observer(HttpListener& listener, int connection)
      : listener_(listener), connection_(connection) {}

  Passage OnClient(std::string_view bytes) override {
    return {session_.OnClient(bytes, Now()), {}};
  }
  void OnServer(std::string_view bytes) override {
    session_.OnServer(bytes, Now());
  }
  void OnClose() override { session_.OnClose(Now()); }

 private:
  Moment Now() { return {telemetry::NowNanos(), listener_.Mark()}; }

  void OnRequest(HttpExchange& exchange) override {
    listener_.OnRequest(exchange);
  }
  void OnExchange(const HttpExchange& exchange) override {
    listener_.OnExchange(exchange);
  }
  void OnFellBack(const std::string& reason) override {
    listener_.OnHttpFellBack(connection_, reason);
  }

  HttpListener& listener_;
  const int connection_;
  HttpSession session_{*this};
};

}  // namespace

HttpTap::HttpTap(const boost::asio::any_io_executor& executor,
                 UniqueFd listening, RelayWire::Dialer dial,
                 HttpListener& listener)
    : wire_(executor, std::move(listening), std::move(dial),
            [this, &listener]() -> std::unique_ptr<RelayObserver> {
              return std::make_unique<Observer>(listener, ++connections_);
            }) {}

}  // namespace assay::wires
