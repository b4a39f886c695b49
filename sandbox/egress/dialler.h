#ifndef ASSAY_SANDBOX_EGRESS_DIALLER_H_
#define ASSAY_SANDBOX_EGRESS_DIALLER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "proto/base/error.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

enum class DialStatus : std::uint32_t {
  kConnected,
  kUnknownHost,
  // Every address that the host has lies where nobody may go.
  kRefusedAddress,
  kUnreachable,
  kTimedOut,
};

// What the two sides of a dialler's socket exchange, a record each: the
// position of a destination in the list that the dialler was started with, and
// what came of it, with the connection attached if there is one. `id` is the
// caller's.
struct DialCall {
  std::uint32_t id = 0;
  std::uint32_t destination = 0;
};
struct DialReply {
  std::uint32_t id = 0;
  DialStatus status = DialStatus::kUnreachable;
  // The address that was connected to, or refused.
  char address[64] = {};
  // Why not, as a phrase.
  char reason[160] = {};
};

// Has connections made by assay-egress, a process that may use the network and
// is told nothing but positions in its own list. Whoever reads what a cell
// sends needs no right to make a socket, and cannot be talked into one to
// somewhere else.
//
// Ownership: owns the socket.
// Errors: kUnavailable when the other side is gone.
class Dialler {
 public:
  // `socket` becomes non-blocking.
  explicit Dialler(UniqueFd socket);

  // Becomes readable when there is an answer.
  int fd() const { return socket_.get(); }
  Status Ask(std::uint32_t id, std::uint32_t destination);
  struct Answer {
    DialReply reply;
    UniqueFd connection;
  };
  // The next answer; nothing if there is none yet.
  Expected<std::optional<Answer>> Receive();

 private:
  UniqueFd socket_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_DIALLER_H_
