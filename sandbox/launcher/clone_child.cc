#include "sandbox/launcher/clone_child.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>

namespace assay::sandbox {

namespace {

pid_t Clone3(std::uint64_t flags, int cgroup, int exit_signal, int& pidfd) {
  clone_args args = {};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = static_cast<std::uint64_t>(exit_signal);
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof(args)));
}

struct Errand {
  int pid_namespace;
  int cgroup;
  const std::function<void()>* child;
  // Results.
  pid_t pid = -1;
  int pidfd = -1;
  int error = 0;
};

// Works in the launcher's memory and descriptor table while the launcher
// itself stands still. CLONE_PARENT makes the launcher the parent.
int RunErrand(void* argument) {
  auto& errand = *static_cast<Errand*>(argument);
  if (::setns(errand.pid_namespace, CLONE_NEWPID) != 0) {
    errand.error = errno;
    return 0;
  }
  int pidfd = -1;
  // The exit signal is that of the errand.
  const pid_t pid = Clone3(CLONE_PARENT, errand.cgroup, 0, pidfd);
  if (pid == 0) (*errand.child)();
  errand.pid = pid;
  errand.pidfd = pidfd;
  errand.error = errno;
  return 0;
}

}  // namespace

pid_t CloneChild(std::uint64_t flags, int cgroup, UniqueFd& pidfd) {
  int fd = -1;
  const pid_t pid = Clone3(flags, cgroup, SIGCHLD, fd);
  if (pid > 0) pidfd.Reset(fd);
  return pid;
}

// A process cannot enter a pid namespace, only have its children born there.
// As an ordinary user the launcher could not have later ones born outside
// again, so a short-lived thread-like child goes in. As root it goes in and out
// itself: one process less to be scheduled.
pid_t CloneIntoPidNamespace(int own_pid_namespace, int pid_namespace,
                            int cgroup, const std::function<void()>& child,
                            UniqueFd& pidfd) {
  if (own_pid_namespace >= 0) {
    if (::setns(pid_namespace, CLONE_NEWPID) != 0) return -1;
    const pid_t pid = CloneChild(0, cgroup, pidfd);
    if (pid == 0) child();
    const int saved = errno;
    // Every later cell would be born into this one.
    if (::setns(own_pid_namespace, CLONE_NEWPID) != 0) ::abort();
    errno = saved;
    return pid;
  }
  // The new process works on a copy of this stack.
  constexpr std::size_t kStack = 256 << 10;
  static const auto stack = std::make_unique_for_overwrite<std::byte[]>(kStack);
  Errand errand = {
      .pid_namespace = pid_namespace, .cgroup = cgroup, .child = &child};
  const pid_t helper =
      ::clone(RunErrand, stack.get() + kStack,
              CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &errand);
  if (helper < 0) return -1;
  ::waitpid(helper, nullptr, 0);
  if (errand.pid > 0) pidfd.Reset(errand.pidfd);
  errno = errand.error;
  return errand.pid;
}

OrdinaryBirth::OrdinaryBirth(bool wanted) {
  if (!wanted) return;
  const int policy = ::sched_getscheduler(0);
  sched_param priority = {};
  if (policy <= 0 || ::sched_getparam(0, &priority) != 0) return;
  if (::sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &priority) == 0) {
    policy_ = policy;
  }
}

OrdinaryBirth::~OrdinaryBirth() {
  sched_param priority = {};
  if (policy_ == 0 || ::sched_getparam(0, &priority) != 0) return;
  ::sched_setscheduler(0, policy_, &priority);
}

// The C library's declaration of its wrapper lacks extern "C" (glibc 2.36).
bool SendSignal(int pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

}  // namespace assay::sandbox
