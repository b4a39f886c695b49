#ifndef ASSAY_SANDBOX_LAUNCHER_CLONE_CHILD_H_
#define ASSAY_SANDBOX_LAUNCHER_CLONE_CHILD_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// fork() by clone3, with CLONE_NEW* `flags`, a pidfd, and (unless -1) born into
// the v2 cgroup `cgroup`. 0 in the child, -1 with errno.
pid_t CloneChild(std::uint64_t flags, int cgroup, UniqueFd& pidfd);

// Runs `child`, which must not return, in a fork that is born into the pid
// namespace `pid_namespace` (a descriptor of it, or a pidfd of a process in it)
// and (unless -1) the v2 cgroup `cgroup`. The caller
// is its parent, and stays in its own namespaces: `own_pid_namespace`, or -1 if
// it has no right to come back there. -1 with errno.
pid_t CloneIntoPidNamespace(int own_pid_namespace, int pid_namespace,
                            int cgroup, const std::function<void()>& child,
                            UniqueFd& pidfd);

// While it lives, what this process clones starts at ordinary priority, if
// `wanted`: kernels with real-time group scheduling let nothing else into a
// cpu cgroup.
class OrdinaryBirth {
 public:
  explicit OrdinaryBirth(bool wanted);
  OrdinaryBirth(const OrdinaryBirth&) = delete;
  OrdinaryBirth& operator=(const OrdinaryBirth&) = delete;
  ~OrdinaryBirth();

 private:
  // The policy to return to; 0 (ordinary) if nothing was changed.
  int policy_ = 0;
};

// False with errno.
bool SendSignal(int pidfd, int signal);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CLONE_CHILD_H_
