#include "sandbox/policy/filter.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>

#include "tests/sandbox/policy/judge.h"

namespace assay::sandbox {
namespace {

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
std::uint32_t Call(long number, std::uint64_t a0 = 0, std::uint64_t a1 = 0,
                   std::uint64_t a2 = 0) {
  return Judge(
      CellFilter(),
      {.nr = static_cast<int>(number), .arch = kArch, .args = {a0, a1, a2}});
}

TEST(FilterTest, OrdinaryCallsAreAllowed) {
  for (const long number :
       {SYS_read, SYS_write, SYS_openat, SYS_execve, SYS_futex, SYS_statx,
        SYS_rseq, SYS_openat2, SYS_close_range, SYS_exit_group}) {
    EXPECT_EQ(Call(number), kAllow) << number;
  }
}

TEST(FilterTest, DangerousCallsAreRefused) {
  for (const long number : {SYS_ptrace,         SYS_bpf,
                            SYS_keyctl,         SYS_add_key,
                            SYS_userfaultfd,    SYS_io_uring_setup,
                            SYS_io_uring_enter, SYS_perf_event_open,
                            SYS_unshare,        SYS_setns,
                            SYS_mount,          SYS_umount2,
                            SYS_pivot_root,     SYS_open_by_handle_at,
                            SYS_pidfd_getfd,    SYS_process_vm_readv,
                            SYS_init_module,    SYS_reboot,
                            SYS_clock_settime,  SYS_memfd_secret}) {
    EXPECT_EQ(Call(number), Refuse(EPERM)) << number;
  }
}

TEST(FilterTest, UnknownCallsAndClone3LookAbsent) {
  EXPECT_EQ(Call(SYS_clone3), Refuse(ENOSYS));
  EXPECT_EQ(Call(1000), Refuse(ENOSYS));
  EXPECT_EQ(Call(0x3fffffff), Refuse(ENOSYS));
}

TEST(FilterTest, SocketsOfOtherFamiliesLookAbsent) {
  EXPECT_EQ(Call(SYS_socket, AF_UNIX), kAllow);
  EXPECT_EQ(Call(SYS_socket, AF_INET), kAllow);
  EXPECT_EQ(Call(SYS_socket, AF_INET6), kAllow);
  EXPECT_EQ(Call(SYS_socket, AF_NETLINK, 3, NETLINK_ROUTE), kAllow);
  EXPECT_EQ(Call(SYS_socket, AF_NETLINK, 3, NETLINK_NETFILTER),
            Refuse(EAFNOSUPPORT));
  for (std::uint64_t family = 0; family < 64; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
        family == AF_NETLINK) {
      continue;
    }
    EXPECT_EQ(Call(SYS_socket, family), Refuse(EAFNOSUPPORT)) << family;
  }
  EXPECT_EQ(Call(SYS_socketpair, AF_UNIX), kAllow);
  EXPECT_EQ(Call(SYS_socketpair, AF_VSOCK), Refuse(EAFNOSUPPORT));
}

// The kernel takes these arguments as int: the upper half must not matter.
TEST(FilterTest, UpperHalvesDoNotHideAnything) {
  constexpr std::uint64_t kUpper = std::uint64_t{1} << 32;
  EXPECT_EQ(Call(SYS_socket, kUpper | AF_VSOCK), Refuse(EAFNOSUPPORT));
  EXPECT_EQ(Call(SYS_ioctl, 0, kUpper | TIOCSTI), Refuse(EPERM));
  EXPECT_EQ(Call(SYS_clone, kUpper | CLONE_NEWUSER), Refuse(EPERM));
}

TEST(FilterTest, CloneMakesProcessesAndThreadsButNoNamespaces) {
  EXPECT_EQ(Call(SYS_clone, 17), kAllow);
  EXPECT_EQ(Call(SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
                                CLONE_THREAD | CLONE_SETTLS),
            kAllow);
  for (const std::uint64_t flag :
       {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC,
        CLONE_NEWUTS, CLONE_NEWCGROUP}) {
    EXPECT_EQ(Call(SYS_clone, flag | 17), Refuse(EPERM)) << flag;
  }
}

TEST(FilterTest, TerminalInputCannotBeFaked) {
  EXPECT_EQ(Call(SYS_ioctl, 0, TIOCSTI), Refuse(EPERM));
  EXPECT_EQ(Call(SYS_ioctl, 0, TIOCLINUX), Refuse(EPERM));
  EXPECT_EQ(Call(SYS_ioctl, 0, TCGETS), kAllow);
}

TEST(FilterTest, PersonalityCanOnlyBeAskedForOrLinux) {
  EXPECT_EQ(Call(SYS_personality, 0xffffffff), kAllow);
  EXPECT_EQ(Call(SYS_personality, PER_LINUX), kAllow);
  EXPECT_EQ(Call(SYS_personality, READ_IMPLIES_EXEC), Refuse(EPERM));
}

TEST(FilterTest, OtherArchitecturesAreKilled) {
  EXPECT_EQ(Judge(CellFilter(), {.nr = SYS_read, .arch = AUDIT_ARCH_I386}),
            kKill);
  EXPECT_EQ(Call(0x40000000 | SYS_read), kKill);
}

}  // namespace
}  // namespace assay::sandbox
