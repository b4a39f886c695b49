#ifndef ASSAY_SANDBOX_LAUNCHER_CELL_NAMESPACES_H_
#define ASSAY_SANDBOX_LAUNCHER_CELL_NAMESPACES_H_

#include <sys/types.h>

#include <cstdint>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// The namespaces that a cell has of its own from the clone of its pid 1 on.
std::uint64_t CellNamespaceFlags();

// The way into the namespaces of a cell: the pidfd of its pid 1, with which one
// call enters all of them. An ordinary user's launcher may not look at a
// process that has become opaque, so there each is held open.
class CellNamespaces {
 public:
  // `init` must still be transparent, and its pidfd outlive this. `separately`:
  // hold each open. False with errno.
  bool Open(pid_t init, int init_pidfd, bool separately);

  // For setns with CLONE_NEWPID and with CLONE_NEWNET.
  int pid() const { return pid_ ? pid_.get() : init_pidfd_; }
  int network() const { return network_ ? network_.get() : init_pidfd_; }

  // Enters all but the pid and cgroup namespaces. False with errno.
  bool Enter() const;

 private:
  int init_pidfd_ = -1;
  UniqueFd user_, mount_, pid_, network_, ipc_, uts_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CELL_NAMESPACES_H_
