#include "runner/main/confinement.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <memory>

namespace assay::main {
namespace {

#ifdef ASSAY_UNCONFINED
constexpr bool kUnconfined = true;
#else
constexpr bool kUnconfined = false;
#endif

constexpr std::array kAllowed = {
    // Descriptors that are there.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
    SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fcntl),
    SCMP_SYS(ioctl), SCMP_SYS(fstat), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(pipe2),
    // Sockets that the launcher made inside a cell. `socket` is not here.
    SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(recvfrom),
    SCMP_SYS(connect), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(bind),
    SCMP_SYS(listen), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    // libcurl wakes itself up by one of its own.
    SCMP_SYS(socketpair),
    // Memory, time, randomness, ending.
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    SCMP_SYS(futex), SCMP_SYS(sysinfo), SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep), SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
    SCMP_SYS(exit), SCMP_SYS(exit_group)};

// Memory, unless it is to be executed.
constexpr std::array kUnlessExecutable = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

}  // namespace

Status Confine() {
  if (kUnconfined) return {};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return SystemError("prctl PR_SET_NO_NEW_PRIVS", errno);
  }
  // What is not here fails: a library that tries something odd is refused and
  // goes on, where killing would lose the run.
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(
      seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (filter == nullptr) return Internal("seccomp_init failed");
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  int failed = 0;
  for (const int call : kAllowed) {
    failed |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  for (const int call : kUnlessExecutable) {
    failed |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  }
  if (failed != 0) return Internal("the seccomp filter could not be built");
  if (const int loaded = seccomp_load(filter.get()); loaded != 0) {
    return SystemError("seccomp_load", -loaded);
  }
  return {};
}

}  // namespace assay::main
