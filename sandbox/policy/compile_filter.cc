// Writes the seccomp filter of a cell as a table of BPF instructions. Runs at
// build time, so that the launcher neither links libseccomp nor spends a
// millisecond on it.
//
// The policy is an allow-list. A refused call that programs probe for answers
// EPERM (kRefused), one that must look absent answers ENOSYS (clone3, whose
// flags a filter cannot see, and everything that is in neither list, such as
// calls newer than this file). Another architecture's calls (int 80, x32) kill
// the process.

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

// What compilers, language runtimes, databases and shells use.
constexpr std::string_view kAllowed =
    "read write open close stat fstat lstat poll lseek mmap mprotect munmap "
    "brk rt_sigaction rt_sigprocmask rt_sigreturn pread64 pwrite64 readv "
    "writev access pipe select sched_yield mremap msync mincore madvise shmget "
    "shmat shmctl dup dup2 pause nanosleep getitimer alarm setitimer getpid "
    "sendfile connect accept sendto recvfrom sendmsg recvmsg shutdown bind "
    "listen getsockname getpeername setsockopt getsockopt fork vfork execve "
    "exit wait4 kill uname semget semop semctl shmdt msgget msgsnd msgrcv "
    "msgctl fcntl flock fsync fdatasync truncate ftruncate getdents getcwd "
    "chdir fchdir rename mkdir rmdir creat link unlink symlink readlink chmod "
    "fchmod chown fchown lchown umask gettimeofday getrlimit getrusage sysinfo "
    "times getuid getgid setuid setgid geteuid getegid setpgid getppid getpgrp "
    "setsid setreuid setregid getgroups setgroups setresuid getresuid "
    "setresgid getresgid getpgid setfsuid setfsgid getsid capget capset "
    "rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend sigaltstack "
    "utime mknod statfs fstatfs getpriority setpriority sched_setparam "
    "sched_getparam sched_setscheduler sched_getscheduler "
    "sched_get_priority_max sched_get_priority_min sched_rr_get_interval mlock "
    "munlock mlockall munlockall prctl arch_prctl setrlimit sync gettid "
    "readahead setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr "
    "listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr "
    "tkill time futex sched_setaffinity sched_getaffinity io_setup io_destroy "
    "io_getevents io_submit io_cancel epoll_create remap_file_pages getdents64 "
    "set_tid_address restart_syscall semtimedop fadvise64 timer_create "
    "timer_settime timer_gettime timer_getoverrun timer_delete clock_gettime "
    "clock_getres clock_nanosleep exit_group epoll_wait epoll_ctl tgkill "
    "utimes get_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive "
    "mq_notify mq_getsetattr waitid ioprio_set ioprio_get inotify_init "
    "inotify_add_watch inotify_rm_watch openat mkdirat mknodat fchownat "
    "futimesat newfstatat unlinkat renameat linkat symlinkat readlinkat "
    "fchmodat faccessat pselect6 ppoll set_robust_list get_robust_list splice "
    "tee sync_file_range vmsplice utimensat epoll_pwait signalfd "
    "timerfd_create eventfd fallocate timerfd_settime timerfd_gettime accept4 "
    "signalfd4 eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev "
    "rt_tgsigqueueinfo recvmmsg prlimit64 syncfs sendmmsg getcpu sched_setattr "
    "sched_getattr renameat2 seccomp getrandom memfd_create execveat "
    "membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect "
    "pkey_alloc pkey_free statx io_pgetevents rseq pidfd_send_signal "
    "pidfd_open close_range openat2 faccessat2 epoll_pwait2 "
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self "
    "futex_waitv fchmodat2 futex_wake futex_wait futex_requeue cachestat "
    "map_shadow_stack";

// Kernel surface that no assessed program needs, or that reaches beyond the
// cell: other processes' memory, keys, namespaces, mounts, clocks, modules.
constexpr std::string_view kRefused =
    "ptrace process_vm_readv process_vm_writev process_madvise "
    "process_mrelease pidfd_getfd kcmp add_key request_key keyctl bpf "
    "perf_event_open userfaultfd io_uring_setup io_uring_enter "
    "io_uring_register memfd_secret unshare setns mount umount2 pivot_root "
    "chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr "
    "name_to_handle_at open_by_handle_at swapon swapoff reboot kexec_load "
    "kexec_file_load init_module finit_module delete_module acct quotactl "
    "quotactl_fd iopl ioperm modify_ldt settimeofday clock_settime "
    "clock_adjtime adjtimex sethostname setdomainname syslog vhangup "
    "fanotify_init fanotify_mark lookup_dcookie migrate_pages move_pages mbind "
    "set_mempolicy set_mempolicy_home_node uselib ustat sysfs _sysctl "
    "nfsservctl";

constexpr std::uint64_t kNewNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
    CLONE_NEWUTS | CLONE_NEWCGROUP;

[[noreturn]] void Die(std::string_view what, int error) {
  std::fprintf(stderr, "compile_filter: %.*s: error %d\n",
               static_cast<int>(what.size()), what.data(), error);
  std::exit(1);
}

class Policy {
 public:
  Policy() : context_(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS))) {
    if (context_ == nullptr) Die("seccomp_init", 0);
    Check("bad architecture",
          ::seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH,
                             SCMP_ACT_KILL_PROCESS));
    // A binary tree instead of a chain: 70 us to install instead of 287.
    Check("optimise",
          ::seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }
  ~Policy() { ::seccomp_release(context_); }

  void AddList(std::string_view names, std::uint32_t action) {
    while (!names.empty()) {
      const auto space = names.find(' ');
      Add(action, names.substr(0, space), {});
      if (space == std::string_view::npos) return;
      names.remove_prefix(space + 1);
    }
  }

  void Add(std::uint32_t action, std::string_view name,
           std::vector<scmp_arg_cmp> arguments) {
    const std::string text(name);
    const int number = ::seccomp_syscall_resolve_name(text.c_str());
    if (number == __NR_SCMP_ERROR) Die("unknown system call " + text, 0);
    // Negative: this architecture does not have it.
    if (number < 0) return;
    const int error = ::seccomp_rule_add_array(
        context_, action, number, static_cast<unsigned>(arguments.size()),
        arguments.data());
    if (error != 0) Die(text, error);
  }

  void Export(int fd) { Check("export", ::seccomp_export_bpf(context_, fd)); }

 private:
  static void Check(std::string_view what, int error) {
    if (error != 0) Die(what, error);
  }
  scmp_filter_ctx context_;
};

// int arguments are compared in their low half: the kernel ignores the rest.
scmp_arg_cmp LowEquals(unsigned position, std::uint64_t value) {
  return SCMP_CMP64(position, SCMP_CMP_MASKED_EQ, 0xffffffff, value);
}

void WriteInstruction(std::FILE* out, const sock_filter& instruction) {
  std::fprintf(out, "{0x%x, %u, %u, 0x%x},\n", instruction.code, instruction.jt,
               instruction.jf, instruction.k);
}

void AddSockets(Policy& policy) {
  // AF_VSOCK ignores network namespaces and reaches the host; netlink beyond
  // routing is a large attack surface. Whatever is not listed looks absent.
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    policy.Add(SCMP_ACT_ALLOW, "socket",
               {LowEquals(0, static_cast<std::uint64_t>(family))});
  }
  policy.Add(SCMP_ACT_ALLOW, "socket",
             {LowEquals(0, AF_NETLINK), LowEquals(2, NETLINK_ROUTE)});
  policy.Add(SCMP_ACT_ALLOW, "socketpair", {LowEquals(0, AF_UNIX)});
}

void AddByArgument(Policy& policy) {
  policy.Add(SCMP_ACT_ALLOW, "clone",
             {SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, kNewNamespaces, 0)});
  policy.Add(SCMP_ACT_ALLOW, "ioctl", {});
  for (const std::uint64_t kind :
       {std::uint64_t{PER_LINUX}, std::uint64_t{PER_LINUX32},
        std::uint64_t{0xffffffff}}) {
    policy.Add(SCMP_ACT_ALLOW, "personality", {LowEquals(0, kind)});
  }
}

// Faking terminal input. libseccomp cannot say "all but these" about an
// argument whose upper half the kernel ignores, so these go in front.
void WritePrologue(std::FILE* out, int ioctl_number) {
  const sock_filter prologue[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
               static_cast<std::uint32_t>(ioctl_number), 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  for (const auto& instruction : prologue) WriteInstruction(out, instruction);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) Die("usage: compile_filter SCRATCH OUTPUT", 0);
  Policy policy;
  policy.AddList(kAllowed, SCMP_ACT_ALLOW);
  policy.AddList(kRefused, SCMP_ACT_ERRNO(EPERM));
  AddSockets(policy);
  AddByArgument(policy);

  std::FILE* scratch = std::fopen(argv[1], "w+");
  if (scratch == nullptr) Die("open the scratch file", errno);
  policy.Export(::fileno(scratch));
  std::rewind(scratch);
  std::FILE* out = std::fopen(argv[2], "w");
  if (out == nullptr) Die("open the output", errno);
  WritePrologue(out, ::seccomp_syscall_resolve_name("ioctl"));
  sock_filter instruction;
  while (std::fread(&instruction, sizeof(instruction), 1, scratch) == 1) {
    WriteInstruction(out, instruction);
  }
  return std::fclose(out) == 0 ? 0 : 1;
}
