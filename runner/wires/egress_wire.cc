#include "runner/wires/egress_wire.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "runner/wires/spawn.h"

namespace assay::wires {

namespace asio = boost::asio;

namespace {

void Record(telemetry::Tracer& tracer, const telemetry::TraceContext& parent,
            const sandbox::EgressRecord& record) {
  const std::string host = record.host.empty() ? "?" : record.host;
  telemetry::Span span =
      tracer.Start("egress " + host, parent,
                   assay::otlp::v1::Span::SPAN_KIND_CLIENT, record.begin_nanos);
  span.Set("server.address", host);
  span.Set("server.port", static_cast<std::int64_t>(record.port));
  if (!record.address.empty()) {
    span.Set("network.peer.address", record.address);
  }
  span.Set("http.response.status_code", record.status);
  span.Set("assay.source", "tap");
  span.Set("assay.wire", "egress");
  span.Set("assay.egress.bytes_up", record.bytes_up);
  span.Set("assay.egress.bytes_down", record.bytes_down);
  if (!record.problem.empty()) {
    span.Set("error.type", std::to_string(record.status));
    span.Fail(record.problem);
  }
  span.EndAt(record.end_nanos);
}

}  // namespace

struct EgressWire::State : std::enable_shared_from_this<EgressWire::State> {
  explicit State(const asio::any_io_executor& executor) : wait(executor) {}

  static asio::awaitable<void> Run(std::shared_ptr<State> self) {
    constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
    while (self->proxy) {
      const auto [error] = co_await self->wait.async_wait(
          asio::posix::stream_descriptor::wait_read, kTuple);
      if (error || !self->proxy) co_return;
      self->proxy->Step();
    }
  }

  // Watches the proxy's descriptor, which stays the proxy's.
  asio::posix::stream_descriptor wait;
  std::optional<sandbox::EgressProxy> proxy;
};

EgressWire::EgressWire(std::shared_ptr<State> state)
    : state_(std::move(state)) {}

Expected<std::unique_ptr<EgressWire>> EgressWire::Lay(
    asio::any_io_executor executor, UniqueFd listener, UniqueFd dialler,
    std::vector<sandbox::Destination> destinations, telemetry::Tracer& tracer,
    telemetry::TraceContext parent) {
  auto state = std::make_shared<State>(executor);
  ASSAY_ASSIGN_OR_RETURN(
      state->proxy,
      sandbox::EgressProxy::Make(
          std::move(listener), sandbox::Dialler(std::move(dialler)),
          std::move(destinations), {},
          [&tracer, parent](const sandbox::EgressRecord& record) {
            Record(tracer, parent, record);
          }));
  state->wait.assign(state->proxy->fd());
  Spawn(executor, State::Run(state));
  return std::unique_ptr<EgressWire>(new EgressWire(std::move(state)));
}

EgressWire::~EgressWire() {
  state_->wait.release();
  state_->proxy.reset();
}

}  // namespace assay::wires
