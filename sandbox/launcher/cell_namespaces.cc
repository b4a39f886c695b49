#include "sandbox/launcher/cell_namespaces.h"

#include <fcntl.h>
#include <sched.h>

#include <string>

#include "sandbox/policy/defence.h"

namespace assay::sandbox {

std::uint64_t CellNamespaceFlags() {
  std::uint64_t flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID;
  if (Stands(Defence::kNetworkNamespace)) flags |= CLONE_NEWNET;
  if (Stands(Defence::kIpcNamespace)) flags |= CLONE_NEWIPC;
  if (Stands(Defence::kHostNameNamespace)) flags |= CLONE_NEWUTS;
  return flags;
}

bool CellNamespaces::Open(pid_t init, int init_pidfd, bool separately) {
  init_pidfd_ = init_pidfd;
  if (!separately) return true;
  const std::string folder = "/proc/" + std::to_string(init) + "/ns/";
  const auto open = [&folder](UniqueFd& fd, const char* name) {
    fd.Reset(::open((folder + name).c_str(), O_RDONLY | O_CLOEXEC));
    return static_cast<bool>(fd);
  };
  return open(user_, "user") && open(mount_, "mnt") && open(pid_, "pid") &&
         open(network_, "net") && open(ipc_, "ipc") && open(uts_, "uts");
}

bool CellNamespaces::Enter() const {
  if (!user_) {
    const auto flags = CellNamespaceFlags() & ~std::uint64_t{CLONE_NEWPID};
    return ::setns(init_pidfd_, static_cast<int>(flags)) == 0;
  }
  // The user namespace first: it is the one that grants the others.
  return ::setns(user_.get(), CLONE_NEWUSER) == 0 &&
         ::setns(ipc_.get(), CLONE_NEWIPC) == 0 &&
         ::setns(uts_.get(), CLONE_NEWUTS) == 0 &&
         ::setns(network_.get(), CLONE_NEWNET) == 0 &&
         ::setns(mount_.get(), CLONE_NEWNS) == 0;
}

}  // namespace assay::sandbox
