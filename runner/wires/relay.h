#ifndef ASSAY_RUNNER_WIRES_RELAY_H_
#define ASSAY_RUNNER_WIRES_RELAY_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "runner/wires/network.h"
#include "runner/wires/wire_faults.h"

namespace assay::wires {

// Reads along one relayed connection. Sees bytes before they are passed on, so
// that what an answer tells is known before the answer arrives.
class RelayObserver {
 public:
  // What becomes of the client's bytes. Both views are good until the next
  // call.
  struct Passage {
    // Passed on to the server.
    std::string_view on;
    // Answered to the client in the server's place.
    std::string_view back;
  };

  virtual ~RelayObserver() = default;
  virtual Passage OnClient(std::string_view bytes) { return {bytes, {}}; }
  virtual void OnServer(std::string_view bytes) {}
  // Both directions have ended; called once.
  virtual void OnClose() {}
};

// What one connection may have. 0: no bound.
struct RelayLimits {
  // Each way.
  std::int64_t bytes = std::int64_t{4} << 30;
  // From its opening.
  std::chrono::steady_clock::duration lifetime = std::chrono::hours(1);
};

// A wire between two cells: accepts connections at a listener and relays each
// to a port of another network, byte for byte, with back-pressure and half
// closes. A connection that cannot be made at the far side is reset at the near
// one, as if the port there were closed; so is one that a limit ends, lest half
// an answer be taken for a whole one.
//
// Ownership: owns the listener; borrows what `dial` needs.
// Memory: connections hold 4 KiB each way while little passes, 64 KiB while
// much does, and 256 KiB more while a fault holds bytes back.
// Threads: confined to the run's thread.
class RelayWire {
 public:
  // More connections than this at once are refused.
  static constexpr int kConnections = 1000;
  // Makes the observer of a new connection; may be empty.
  using Observe = std::function<std::unique_ptr<RelayObserver>()>;
  // Makes the far side of a new connection.
  using Dialer = std::function<
      boost::asio::awaitable<Expected<boost::asio::ip::tcp::socket>>()>;
  // Makes the listener once more.
  using Listen = std::function<Expected<UniqueFd>()>;

  RelayWire(boost::asio::any_io_executor executor, UniqueFd listener,
            Network& target, std::uint16_t port, Observe observe);
  RelayWire(boost::asio::any_io_executor executor, UniqueFd listener,
            Dialer dial, Observe observe);
  // Closes the listener and every connection.
  ~RelayWire();

  // From now on, for connections that stand and for new ones. `seed` decides
  // the jitter. With `refuse` the listener is closed, and made again by
  // `listen` when it ends; without `listen`, connections are reset instead.
  Status SetFaults(const WireFaults& faults, std::uint64_t seed = 0);
  const WireFaults& faults() const;
  void SetListen(Listen listen);
  // For connections that stand and for new ones.
  void SetLimits(const RelayLimits& limits);

  // Resets every connection; new ones are accepted.
  void DropConnections();
  int open_connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_RELAY_H_
