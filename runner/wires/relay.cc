#include "runner/wires/relay.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <utility>

#include "runner/wires/dial.h"
#include "runner/wires/spawn.h"

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t kBuffer = 64 << 10;
constexpr std::chrono::milliseconds kDialTimeout{2000};
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// One relayed connection. Kept alive by its coroutines.
struct Connection {
  Connection(tcp::socket near_socket, std::unique_ptr<RelayObserver> observer)
      : near(std::move(near_socket)),
        far(near.get_executor()),
        observer(std::move(observer)) {}

  // RST rather than FIN: a lost peer, not a finished one.
  void Reset() {
    boost::system::error_code ignored;
    near.set_option(asio::socket_base::linger(true, 0), ignored);
    near.close(ignored);
    far.close(ignored);
  }

  void EndObservation() {
    if (const auto ending = std::move(observer)) ending->OnClose();
  }

  tcp::socket near;
  tcp::socket far;
  std::unique_ptr<RelayObserver> observer;
  int open_directions = 2;
  bool reset = false;
};

// Where a finished direction is told.
using Done = std::function<void()>;

asio::awaitable<void> Pump(std::shared_ptr<Connection> connection,
                           bool from_client, Done done) {
  tcp::socket& from = from_client ? connection->near : connection->far;
  tcp::socket& to = from_client ? connection->far : connection->near;
  const auto buffer = std::make_unique<std::array<char, kBuffer>>();
  while (true) {
    const auto [error, size] =
        co_await from.async_read_some(asio::buffer(*buffer), kTuple);
    if (error == asio::error::connection_reset) connection->reset = true;
    if (error) break;
    const std::string_view bytes(buffer->data(), size);
    if (connection->observer) {
      if (from_client) {
        connection->observer->OnClient(bytes);
      } else {
        connection->observer->OnServer(bytes);
      }
    }
    const auto [failed, written] =
        co_await asio::async_write(to, asio::buffer(bytes), kTuple);
    if (failed) {
      connection->reset = true;
      break;
    }
  }
  // A half close goes on as one; a reset takes both directions down.
  boost::system::error_code ignored;
  to.shutdown(tcp::socket::shutdown_send, ignored);
  if (connection->reset) connection->Reset();
  if (--connection->open_directions == 0) done();
}

}  // namespace

struct RelayWire::State : std::enable_shared_from_this<RelayWire::State> {
  State(asio::any_io_executor executor, UniqueFd fd, Network& target,
        std::uint16_t port, Observe observe)
      : executor(std::move(executor)),
        acceptor(this->executor),
        target(&target),
        port(port),
        observe(std::move(observe)) {
    acceptor.assign(tcp::v4(), fd.Release());
  }

  static asio::awaitable<void> Accept(std::shared_ptr<State> self) {
    while (self->acceptor.is_open()) {
      auto [error, socket] = co_await self->acceptor.async_accept(kTuple);
      if (error == asio::error::operation_aborted || self->target == nullptr) {
        co_return;
      }
      if (error) {
        // Out of descriptors, most likely: give the connections time to end.
        asio::steady_timer timer(self->executor, std::chrono::milliseconds(10));
        co_await timer.async_wait(kTuple);
        continue;
      }
      if (self->connections.size() >= kConnections) {
        socket.set_option(asio::socket_base::linger(true, 0), error);
        continue;
      }
      socket.set_option(tcp::no_delay(true), error);
      Spawn(self->executor, Serve(self, std::move(socket)));
    }
  }

  static asio::awaitable<void> Serve(std::shared_ptr<State> self,
                                     tcp::socket socket) {
    auto connection = std::make_shared<Connection>(
        std::move(socket), self->observe ? self->observe() : nullptr);
    const auto at =
        self->connections.insert(self->connections.end(), connection);
    auto finish = [self, at] {
      const std::shared_ptr<Connection> ended = *at;
      self->connections.erase(at);
      ended->EndObservation();
    };
    auto far = co_await Dial(*self->target, self->port, kDialTimeout);
    if (!far || self->target == nullptr || !connection->near.is_open()) {
      connection->Reset();
      finish();
      co_return;
    }
    connection->far = *std::move(far);
    Spawn(self->executor, Pump(connection, true, finish));
    co_await Pump(connection, false, finish);
  }

  void DropConnections() {
    for (const auto& connection : connections) connection->Reset();
  }

  asio::any_io_executor executor;
  tcp::acceptor acceptor;
  // Null once the wire is gone.
  Network* target;
  std::uint16_t port;
  Observe observe;
  std::list<std::shared_ptr<Connection>> connections;
};

RelayWire::RelayWire(asio::any_io_executor executor, UniqueFd listener,
                     Network& target, std::uint16_t port, Observe observe)
    : state_(std::make_shared<State>(std::move(executor), std::move(listener),
                                     target, port, std::move(observe))) {
  Spawn(state_->executor, State::Accept(state_));
}

RelayWire::~RelayWire() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->target = nullptr;
  state_->DropConnections();
  // The coroutines end later; what observers borrow may be gone by then.
  for (const auto& connection : state_->connections) {
    connection->EndObservation();
  }
}

void RelayWire::DropConnections() { state_->DropConnections(); }

int RelayWire::open_connections() const {
  return static_cast<int>(state_->connections.size());
}

}  // namespace assay::wires
