#ifndef ASSAY_SANDBOX_EGRESS_DIALLER_PROCESS_H_
#define ASSAY_SANDBOX_EGRESS_DIALLER_PROCESS_H_

#include <sys/types.h>

#include <span>
#include <string>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/egress/destination.h"

namespace assay::sandbox {

// A running assay-egress. It ends by itself when the last copy of our end of
// the socket is closed.
//
// Ownership: owns the child and our end of its socket.
class DiallerProcess {
 public:
  // No process.
  DiallerProcess() = default;
  // Starts the program at `path` for these destinations.
  static Expected<DiallerProcess> Spawn(
      const std::string& path, std::span<const Destination> destinations);
  DiallerProcess(DiallerProcess&& other) noexcept;
  DiallerProcess& operator=(DiallerProcess&& other) noexcept;
  // Kills and reaps it.
  ~DiallerProcess();

  // For a Dialler.
  UniqueFd TakeSocket() { return std::move(socket_); }
  int socket() const { return socket_.get(); }

 private:
  void End();
  pid_t pid_ = -1;
  UniqueFd socket_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_EGRESS_DIALLER_PROCESS_H_
