#ifndef ASSAY_RUNNER_WIRES_RELAY_H_
#define ASSAY_RUNNER_WIRES_RELAY_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "runner/wires/network.h"

namespace assay::wires {

// Reads along one relayed connection. Sees bytes before they are passed on, so
// that what an answer tells is known before the answer arrives.
class RelayObserver {
 public:
  virtual ~RelayObserver() = default;
  virtual void OnClient(std::string_view bytes) {}
  virtual void OnServer(std::string_view bytes) {}
  // Both directions have ended; called once.
  virtual void OnClose() {}
};

// A wire between two cells: accepts connections at a listener and relays each
// to a port of another network, byte for byte, with back-pressure and half
// closes. A connection that cannot be made at the far side is reset at the near
// one, as if the port there were closed.
//
// Ownership: owns the listener; borrows `target`, which outlives the wire.
// Connections hold 64 KiB each way.
// Threads: confined to the run's thread.
class RelayWire {
 public:
  // More connections than this at once are refused.
  static constexpr int kConnections = 1000;
  // Makes the observer of a new connection; may be empty.
  using Observe = std::function<std::unique_ptr<RelayObserver>()>;

  RelayWire(boost::asio::any_io_executor executor, UniqueFd listener,
            Network& target, std::uint16_t port, Observe observe);
  // Closes the listener and every connection.
  ~RelayWire();

  // Resets every connection; new ones are accepted.
  void DropConnections();
  int open_connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_RELAY_H_
