// Programs that want more than they were given. Whatever they get hold of they
// keep, for the test to find.

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <initializer_list>

#include "tests/sandbox/hostile/attempts.h"

namespace {

void BecomeRoot() {
  ::setuid(0);
  ::setgid(0);
  ::setresuid(0, 0, 0);
  ::setfsuid(0);
  (void)!::seteuid(65534);
  ::prctl(PR_SET_KEEPCAPS, 1);
  ::prctl(PR_SET_SECUREBITS, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0);
  const std::uint32_t header[2] = {0x20080522, 0};
  const std::uint32_t all[6] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
  ::syscall(SYS_capset, header, all);
  DoneAndWait();
}

void Wait() { DoneAndWait(); }

// A copy of this program that belongs to root and has the setuid bit.
void SetuidProgram() { ::execl("/setuid/program", "x", "wait", nullptr); }

void NewNamespaces() {
  const int flags[] = {CLONE_NEWUSER,
                       CLONE_NEWNS,
                       CLONE_NEWPID,
                       CLONE_NEWNET,
                       CLONE_NEWIPC,
                       CLONE_NEWUTS,
                       CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET};
  for (const int flag : flags) ::unshare(flag);
  // The same by clone, and by clone3, whose flags no filter can see.
  if (::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) == 0) {
    DoneAndWait();
  }
  std::uint64_t args[11] = {};
  args[0] = CLONE_NEWUSER;
  args[4] = SIGCHLD;
  if (::syscall(SYS_clone3, args, sizeof(args)) == 0) DoneAndWait();
  DoneAndWait();
}

void EnterNamespaces() {
  for (const char* path :
       {"/proc/1/ns/user", "/proc/1/ns/mnt", "/proc/1/ns/net"}) {
    ::setns(::open(path, O_RDONLY), 0);
  }
  // Its own it may open.
  const int own = ::open("/proc/self/ns/user", O_RDONLY);
  ::setns(own, 0);
  ::close(own);
  DoneAndWait();
}

void Mounts() {
  ::mkdir("/tmp/m", 0700);
  ::mount("tmpfs", "/tmp/m", "tmpfs", 0, nullptr);
  ::mount("/usr", "/tmp/m", nullptr, MS_BIND, nullptr);
  ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr);
  ::mount("proc", "/tmp/m", "proc", 0, nullptr);
  ::umount2("/proc", MNT_DETACH);
  ::umount2("/proc/kallsyms", MNT_DETACH);
  ::syscall(SYS_pivot_root, "/tmp", "/tmp/m");
  (void)!::chroot("/tmp");
  ::syscall(SYS_open_tree, AT_FDCWD, "/", 1);
  ::syscall(SYS_fsopen, "tmpfs", 0);
  ::syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, nullptr, 0);
  DoneAndWait();
}

void KernelObjects() {
  union bpf_attr bpf = {};
  bpf.map_type = BPF_MAP_TYPE_ARRAY;
  bpf.key_size = bpf.value_size = 4;
  bpf.max_entries = 1;
  ::syscall(SYS_bpf, BPF_MAP_CREATE, &bpf, sizeof(bpf));
  io_uring_params uring = {};
  ::syscall(SYS_io_uring_setup, 4, &uring);
  ::syscall(SYS_userfaultfd, 0);
  perf_event_attr perf = {};
  perf.size = sizeof(perf);
  perf.type = PERF_TYPE_SOFTWARE;
  ::syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0);
  ::syscall(SYS_fanotify_init, 0, 0);
  ::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0);
  ::syscall(SYS_memfd_secret, 0);
  for (int family = 0; family < 46; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
    // Routing's netlink is allowed, and closed again.
    const int fd = ::socket(family, SOCK_DGRAM, 0);
    if (family == AF_NETLINK) ::close(fd);
    ::socket(family, SOCK_STREAM, 0);
    ::socket(family, SOCK_RAW, 2);
    ::socket(family, SOCK_SEQPACKET, 0);
  }
  for (const int family : {AF_INET, AF_INET6}) {
    ::socket(family, SOCK_RAW, 1);
    ::socket(family, SOCK_RAW, 255);
    ::socket(family, SOCK_PACKET, 0x300);
  }
  DoneAndWait();
}

void Keys() {
  ::syscall(SYS_add_key, "user", "hostile-canary", "x", 1, -3);
  ::syscall(SYS_add_key, "user", "hostile-canary", "x", 1, -4);
  ::syscall(SYS_keyctl, 1, "hostile-canary-ring");
  DoneAndWait();
}

void OtherProcesses() {
  char byte = 0;
  iovec part = {&byte, 1};
  for (pid_t pid = 1; pid < 200; ++pid) {
    if (pid == ::getpid()) continue;
    ::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr);
    ::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr);
    ::process_vm_readv(pid, &part, 1, &part, 1, 0);
    const long fd = ::syscall(SYS_pidfd_open, pid, 0);
    ::syscall(SYS_pidfd_getfd, fd, 1, 0);
    ::close(static_cast<int>(fd));
  }
  for (const char* path :
       {"/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/root",
        "/proc/1/cwd", "/proc/1/fd/1", "/proc/1/exe"}) {
    ::open(path, O_RDONLY);
  }
  DoneAndWait();
}

void Machine() {
  timespec epoch = {};
  ::clock_settime(CLOCK_REALTIME, &epoch);
  timeval old = {};
  ::settimeofday(&old, nullptr);
  ::sethostname("hostile", 7);
  ::syscall(SYS_reboot, 0xfee1dead, 672274793, 0, nullptr);
  ::syscall(SYS_swapon, "/tmp/x", 0);
  ::syscall(SYS_acct, "/tmp/x");
  ::syscall(SYS_init_module, nullptr, 0, "");
  ::syscall(SYS_kexec_load, 0, 0, nullptr, 0);
  ::syscall(SYS_quotactl, 0, nullptr, 0, nullptr);
#ifdef SYS_iopl
  ::syscall(SYS_iopl, 3);
#endif
  ::personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC);
  for (const char* path :
       {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
        "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger",
        "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/file-max"}) {
    ::open(path, O_WRONLY);
  }
  DoneAndWait();
}

void DeviceNodes() {
  ::mknod("/tmp/disk", S_IFBLK | 0666, 0xfe00);
  ::mknod("/tmp/mem", S_IFCHR | 0666, 0x0101);
  ::open("/tmp/disk", O_RDONLY);
  ::open("/tmp/mem", O_RDONLY);
  for (const char* path : {"/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda",
                           "/dev/fuse", "/dev/kvm", "/dev/tty", "/dev/ptmx",
                           "/dev/net/tun", "/dev/vsock", "/dev/vhost-vsock"}) {
    ::open(path, O_RDWR);
  }
  DoneAndWait();
}

void ForeignArchitecture() {
#ifdef __x86_64__
  // getpid by the 32-bit door.
  long result = 20;
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
#endif
  DoneAndWait();
}

constexpr Attempt kAttempts[] = {
    {"become_root", BecomeRoot},
    {"setuid_program", SetuidProgram},
    {"wait", Wait},
    {"new_namespaces", NewNamespaces},
    {"enter_namespaces", EnterNamespaces},
    {"mounts", Mounts},
    {"kernel_objects", KernelObjects},
    {"keys", Keys},
    {"other_processes", OtherProcesses},
    {"machine", Machine},
    {"device_nodes", DeviceNodes},
    {"foreign_architecture", ForeignArchitecture},
};

}  // namespace

int main(int argc, char** argv) { return RunAttempt(kAttempts, argc, argv); }
