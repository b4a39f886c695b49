#ifndef ASSAY_RUNNER_WIRES_NETWORK_H_
#define ASSAY_RUNNER_WIRES_NETWORK_H_

#include <cstdint>
#include <map>

#include "proto/base/error.h"
#include "sandbox/cell/session.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::wires {

using sandbox::UniqueFd;

// The loopback network of one cell (or, in tests, of this machine), as seen by
// wires. Descriptors are non-blocking and close-on-exec.
//
// Threads: confined to the run's thread; calls take microseconds.
class Network {
 public:
  virtual ~Network() = default;
  // A TCP socket listening on 127.0.0.1:`port`.
  virtual Expected<UniqueFd> Listen(std::uint16_t port) = 0;
  // An unconnected TCP socket.
  virtual Expected<UniqueFd> OpenSocket() = 0;
  // Where whoever wants to reach `port` has to connect.
  virtual std::uint16_t Route(std::uint16_t port) const { return port; }
};

// Ownership: borrows the cell.
class CellNetwork final : public Network {
 public:
  explicit CellNetwork(sandbox::Cell& cell) : cell_(cell) {}
  Expected<UniqueFd> Listen(std::uint16_t port) override {
    return cell_.Listen(port);
  }
  Expected<UniqueFd> OpenSocket() override { return cell_.OpenSocket(); }

 private:
  sandbox::Cell& cell_;
};

// Another network, some of whose ports are reached through wires that stand in
// front of them.
//
// Ownership: borrows the network behind.
class FrontNetwork final : public Network {
 public:
  explicit FrontNetwork(Network& behind) : behind_(behind) {}
  Expected<UniqueFd> Listen(std::uint16_t port) override {
    return behind_.Listen(port);
  }
  Expected<UniqueFd> OpenSocket() override { return behind_.OpenSocket(); }
  std::uint16_t Route(std::uint16_t port) const override {
    const auto it = fronts_.find(port);
    return it == fronts_.end() ? port : it->second;
  }
  // Who wants `port` connects to `front` from now on.
  void Put(std::uint16_t port, std::uint16_t front) { fronts_[port] = front; }

 private:
  Network& behind_;
  std::map<std::uint16_t, std::uint16_t> fronts_;
};

// This machine's own loopback: an author's `--against`, and tests.
class HostNetwork final : public Network {
 public:
  Expected<UniqueFd> Listen(std::uint16_t port) override;
  Expected<UniqueFd> OpenSocket() override;
};

// The port that a listening socket has.
std::uint16_t PortOf(int fd);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_NETWORK_H_
