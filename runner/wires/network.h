#ifndef ASSAY_RUNNER_WIRES_NETWORK_H_
#define ASSAY_RUNNER_WIRES_NETWORK_H_

#include <cstdint>

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
