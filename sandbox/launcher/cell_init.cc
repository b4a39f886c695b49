#include "sandbox/launcher/cell_init.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

#include "sandbox/cell/message_socket.h"
#include "sandbox/launcher/cell_cgroup.h"
#include "sandbox/launcher/loopback.h"
#include "sandbox/policy/confinement.h"
#include "sandbox/policy/defence.h"
#include "sandbox/rootfs/mount_calls.h"

namespace assay::sandbox {
namespace {

// Where the descriptor that pid 1 keeps is put.
constexpr int kChannel = 0;

SetupFault Fault(SetupStep step) { return {step, errno}; }

SetupFault MountProc(const UniqueFd& proc, int root) {
  if (!AttachTree(proc.get(), root, "proc")) return Fault(SetupStep::kProc);
  if (!Stands(Defence::kProcMasks)) return {};
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

// Below which the old root stands until it is taken away. It is there in every
// root, and nobody looks into it before that.
constexpr const char* kOldRootPlace = "dev";

// The old root stays mounted below until /proc is: the kernel wants to see
// another, uncovered /proc in the namespace before it gives a new one to a user
// namespace.
SetupFault EnterRoot(const UniqueFd& proc, int root) {
  if (!AttachTree(root, AT_FDCWD, "/") || ::fchdir(root) != 0) {
    return Fault(SetupStep::kPivot);
  }
  if (auto fault = MountProc(proc, root); fault.step != SetupStep::kNone) {
    return fault;
  }
  if (::syscall(SYS_pivot_root, ".", kOldRootPlace) != 0 || ::chdir("/") != 0) {
    return Fault(SetupStep::kPivot);
  }
  return {};
}

// The kernel waits for all processors here, before it goes on with us.
SetupFault LeaveOldRoot() {
  if (Stands(Defence::kOldRootGone) &&
      ::umount2(kOldRootPlace, MNT_DETACH) != 0) {
    return Fault(SetupStep::kPivot);
  }
  return {};
}

SetupFault SetUpNetwork(const CellInitPlan& plan) {
  if (!Stands(Defence::kNetworkNamespace)) return {};
  if (plan.make_network && ::unshare(CLONE_NEWNET) != 0) {
    return Fault(SetupStep::kNamespaces);
  }
  if (plan.loopback && !BringLoopbackUp()) return Fault(SetupStep::kLoopback);
  return {};
}

SetupFault JoinCgroups(std::span<const UniqueFd> tasks) {
  for (const auto& fd : tasks) {
    const int one = fd.get();
    if (!CellCgroup::Join({&one, 1})) return Fault(SetupStep::kCgroup);
  }
  return {};
}

// All that can be done while the launcher builds the root.
SetupFault Begin(const CellInitPlan& plan, std::span<const UniqueFd> tasks,
                 UniqueFd& proc) {
  if (auto fault = JoinCgroups(tasks); fault.step != SetupStep::kNone) {
    return fault;
  }
  // Here and not in clone3: the namespace's root shall be the cell's cgroup.
  if (Stands(Defence::kCgroupNamespace) && ::unshare(CLONE_NEWCGROUP) != 0) {
    return Fault(SetupStep::kNamespaces);
  }
  if (Stands(Defence::kHostNameNamespace) &&
      ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0) {
    return Fault(SetupStep::kHostname);
  }
  if (::setsid() < 0) return Fault(SetupStep::kIdentity);
  proc = NewProc();
  return proc ? SetupFault{} : Fault(SetupStep::kProc);
}

bool Tell(int channel, const SetupFault& fault) {
  return ::write(channel, &fault, sizeof(fault)) == sizeof(fault);
}

// `tell`: that the cell can be entered.
SetupFault SetUp(const CellInitPlan& plan, const UniqueFd& proc, int root,
                 bool tell) {
  if (auto fault = EnterRoot(proc, root); fault.step != SetupStep::kNone) {
    return fault;
  }
  if (tell && !Tell(plan.channel, {})) return Fault(SetupStep::kPipes);
  if (auto fault = LeaveOldRoot(); fault.step != SetupStep::kNone) {
    return fault;
  }
  if (auto fault = BecomeCellUser(plan.drop_groups);
      fault.step != SetupStep::kNone) {
    return fault;
  }
  // Changing the user cleared it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The launcher's priority stays: all that is left to pid 1 is to die, and on
  // a busy machine somebody waits for that.
  return GiveUpCapabilities();
}

// Puts the descriptor where it is not in the way, and closes all others.
bool KeepOnly(int channel) {
  return (channel == kChannel || ::dup3(channel, kChannel, O_CLOEXEC) >= 0) &&
         ::syscall(SYS_close_range, kChannel + 1, ~0u, 0u) == 0;
}

// What is left to it are read, write and exit, which costs next to nothing to
// install; the filter of programs would allow it much more.
bool AllowAlmostNothing() {
  if (!Stands(Defence::kStrictInit)) return true;
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0) return true;
  // Under a filter already, as in a container: the same as one more.
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program = {.len = std::size(code), .filter = code};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct Order {
  char what = 0;
  std::vector<UniqueFd> fds;
};

// The next record. Without a launcher there is nothing left to do.
Order Receive(int channel, int most) {
  Order order;
  if (ReceiveRecord(channel, &order.what, 1, order.fds, most) !=
      ReceiveResult::kMessage) {
    ::_exit(1);
  }
  return order;
}

// Not the C library's: its exit is another call.
[[noreturn]] void End() {
  while (true) ::syscall(SYS_exit, 1);
}

}  // namespace

[[noreturn]] void RunCellInit(const CellInitPlan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Orphans are reaped by the kernel.
  ::signal(SIGCHLD, SIG_IGN);
  SetupFault fault = SetUpNetwork(plan);
  UniqueFd proc;
  const auto tasks = Receive(plan.channel, kControllers);
  if (fault.step == SetupStep::kNone) fault = Begin(plan, tasks.fds, proc);
  const auto root = Receive(plan.channel, 1);
  if (root.fds.empty()) ::_exit(1);
  if (fault.step == SetupStep::kNone) {
    fault = SetUp(plan, proc, root.fds[0].get(), root.what == kTellEntrance);
  }
  char byte = 0;
  int channel = plan.channel;
  if (fault.step == SetupStep::kNone) {
    if (!KeepOnly(plan.channel)) {
      fault = Fault(SetupStep::kPipes);
    } else if (channel = kChannel; !AllowAlmostNothing()) {
      fault = Fault(SetupStep::kSeccomp);
    }
  }
  if (!Tell(channel, fault) || fault.step != SetupStep::kNone) End();
  // The end is the launcher's.
  while (::read(kChannel, &byte, 1) > 0) continue;
  End();
}

}  // namespace assay::sandbox
