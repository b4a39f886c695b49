#include "sandbox/launcher/cell_init.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sandbox/launcher/loopback.h"
#include "sandbox/policy/confinement.h"
#include "sandbox/rootfs/mount_calls.h"

namespace assay::sandbox {
namespace {

// Readable by everybody, and about the machine rather than the cell.
constexpr std::array<const char*, 5> kMaskedProcFiles = {
    "kallsyms", "keys", "key-users", "timer_list", "cmdline"};

SetupFault Fault(SetupStep step) { return {step, errno}; }

SetupFault MountProc(int root) {
  const UniqueFd proc = NewProc();
  if (!proc || !AttachTree(proc.get(), root, "proc")) {
    return Fault(SetupStep::kProc);
  }
  for (const char* name : kMaskedProcFiles) {
    const UniqueFd target(::openat(proc.get(), name, O_PATH | O_CLOEXEC));
    if (!target) continue;
    const UniqueFd null = CloneTree(root, "dev/null", false);
    if (!null || !AttachTree(null.get(), target.get(), "")) {
      return Fault(SetupStep::kProc);
    }
  }
  return {};
}

// The old root stays mounted below until /proc is: the kernel wants to see
// another, uncovered /proc in the namespace before it gives a new one to a user
// namespace.
SetupFault EnterRoot(int root) {
  if (!AttachTree(root, AT_FDCWD, "/") || ::fchdir(root) != 0) {
    return Fault(SetupStep::kPivot);
  }
  if (auto fault = MountProc(root); fault.step != SetupStep::kNone) {
    return fault;
  }
  if (::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return Fault(SetupStep::kPivot);
  }
  return {};
}

SetupFault SetUp(const CellInitPlan& plan) {
  if (!plan.cgroup->Join()) return Fault(SetupStep::kCgroup);
  // Here and not in clone3: the namespace's root shall be the cell's cgroup.
  if (::unshare(CLONE_NEWCGROUP) != 0) return Fault(SetupStep::kNamespaces);
  if (auto fault = EnterRoot(plan.root_tree); fault.step != SetupStep::kNone) {
    return fault;
  }
  if (plan.loopback && !BringLoopbackUp()) {
    return Fault(SetupStep::kLoopback);
  }
  if (::sethostname(plan.hostname.data(), plan.hostname.size()) != 0) {
    return Fault(SetupStep::kHostname);
  }
  if (::setsid() < 0) return Fault(SetupStep::kIdentity);
  if (auto fault = BecomeCellUser(plan.drop_groups);
      fault.step != SetupStep::kNone) {
    return fault;
  }
  // Changing the user cleared it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return GiveUpPrivileges();
}

}  // namespace

[[noreturn]] void RunCellInit(const CellInitPlan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Orphans are reaped by the kernel.
  ::signal(SIGCHLD, SIG_IGN);
  char byte = 0;
  if (::read(plan.release, &byte, 1) != 1) ::_exit(1);
  const SetupFault fault = SetUp(plan);
  // The launcher may have died since, without anybody to signal us then.
  pollfd launcher = {plan.release, POLLIN, 0};
  if (::poll(&launcher, 1, 0) != 0) ::_exit(1);
  const bool told = ::write(plan.ready, &fault, sizeof(fault)) == sizeof(fault);
  if (!told || fault.step != SetupStep::kNone) ::_exit(1);
  ::syscall(SYS_close_range, 0u, ~0u, 0u);
  while (true) ::pause();
}

}  // namespace assay::sandbox
