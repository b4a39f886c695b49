#include "runner/wires/relay.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <utility>

#include "runner/wires/dial.h"
#include "runner/wires/relay_connection.h"
#include "runner/wires/spawn.h"

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kDialTimeout{2000};
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct RelayWire::State : std::enable_shared_from_this<RelayWire::State> {
  State(asio::any_io_executor executor, UniqueFd fd, Dialer dial,
        Observe observe)
      : executor(std::move(executor)),
        acceptor(this->executor),
        dial(std::move(dial)),
        observe(std::move(observe)),
        bench(std::make_shared<FaultBench>()),
        sweep(this->executor) {
    acceptor.assign(tcp::v4(), fd.Release());
  }

  static asio::awaitable<void> Accept(std::shared_ptr<State> self) {
    while (self->acceptor.is_open()) {
      auto [error, socket] = co_await self->acceptor.async_accept(kTuple);
      if (error == asio::error::operation_aborted || self->gone) co_return;
      if (error) {
        // Out of descriptors, most likely: give the connections time to end.
        asio::steady_timer timer(self->executor, std::chrono::milliseconds(10));
        co_await timer.async_wait(kTuple);
        continue;
      }
      if (self->connections.size() >= kConnections ||
          self->bench->faults.refuse) {
        socket.set_option(asio::socket_base::linger(true, 0), error);
        continue;
      }
      socket.set_option(tcp::no_delay(true), error);
      Spawn(self->executor, Serve(self, std::move(socket)));
    }
  }

  static asio::awaitable<void> Serve(std::shared_ptr<State> self,
                                     tcp::socket socket) {
    auto connection = std::make_shared<RelayConnection>(
        std::move(socket), self->observe ? self->observe() : nullptr,
        self->bench);
    const auto at =
        self->connections.insert(self->connections.end(), connection);
    auto finish = [self, at] {
      const std::shared_ptr<RelayConnection> ended = *at;
      self->connections.erase(at);
      ended->EndObservation();
    };
    auto far = co_await self->dial();
    if (!far || self->gone || !connection->near_is_open()) {
      connection->Reset();
      finish();
      co_return;
    }
    connection->Open(*std::move(far), std::move(finish));
  }

  // Ends connections that have had their time, a little late; a clock for each
  // would cost more than the connection.
  static asio::awaitable<void> Sweep(std::shared_ptr<State> self) {
    constexpr std::chrono::steady_clock::duration kOften =
        std::chrono::seconds(1);
    while (!self->gone) {
      const auto lifetime = self->bench->limits.lifetime;
      self->sweep.expires_after(
          lifetime.count() > 0 ? std::min(lifetime, kOften) : kOften);
      co_await self->sweep.async_wait(kTuple);
      if (lifetime.count() <= 0) continue;
      const auto oldest = std::chrono::steady_clock::now() - lifetime;
      for (const auto& connection : self->connections) {
        if (connection->opened() <= oldest) connection->Reset();
      }
    }
  }

  void DropConnections() {
    for (const auto& connection : connections) connection->Reset();
  }

  // Closes the port, or opens it again.
  Status Refuse(bool refuse) {
    boost::system::error_code ignored;
    if (!listen) return {};  // Accept() resets instead.
    if (refuse) {
      acceptor.close(ignored);
      return {};
    }
    if (acceptor.is_open()) return {};
    ASSAY_ASSIGN_OR_RETURN(UniqueFd fd, listen());
    acceptor.assign(tcp::v4(), fd.Release());
    Spawn(executor, Accept(shared_from_this()));
    return {};
  }

  asio::any_io_executor executor;
  tcp::acceptor acceptor;
  Dialer dial;
  Observe observe;
  Listen listen;
  std::shared_ptr<FaultBench> bench;
  asio::steady_timer sweep;
  std::list<std::shared_ptr<RelayConnection>> connections;
  // The wire is; its coroutines end later.
  bool gone = false;
};

RelayWire::RelayWire(asio::any_io_executor executor, UniqueFd listener,
                     Network& target, std::uint16_t port, Observe observe)
    : RelayWire(
          std::move(executor), std::move(listener),
          [&target, port] { return Dial(target, port, kDialTimeout); },
          std::move(observe)) {}

RelayWire::RelayWire(asio::any_io_executor executor, UniqueFd listener,
                     Dialer dial, Observe observe)
    : state_(std::make_shared<State>(std::move(executor), std::move(listener),
                                     std::move(dial), std::move(observe))) {
  Spawn(state_->executor, State::Accept(state_));
  Spawn(state_->executor, State::Sweep(state_));
}

RelayWire::~RelayWire() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->gone = true;
  state_->sweep.cancel();
  state_->DropConnections();
  // The coroutines end later; what observers borrow may be gone by then.
  for (const auto& connection : state_->connections) {
    connection->EndObservation();
  }
}

Status RelayWire::SetFaults(const WireFaults& faults, std::uint64_t seed) {
  const bool refused = state_->bench->faults.refuse;
  state_->bench->faults = faults;
  ++state_->bench->generation;
  state_->bench->random.seed(seed);
  if (!faults.request.shapes() && !faults.response.shapes()) {
    for (const auto& connection : state_->connections) connection->Release();
  }
  return refused == faults.refuse ? Status{} : state_->Refuse(faults.refuse);
}

const WireFaults& RelayWire::faults() const { return state_->bench->faults; }

void RelayWire::SetListen(Listen listen) { state_->listen = std::move(listen); }

void RelayWire::SetLimits(const RelayLimits& limits) {
  state_->bench->limits = limits;
  state_->sweep.cancel();
}

void RelayWire::DropConnections() { state_->DropConnections(); }

int RelayWire::open_connections() const {
  return static_cast<int>(state_->connections.size());
}

}  // namespace assay::wires
