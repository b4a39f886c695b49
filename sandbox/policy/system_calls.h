#ifndef ASSAY_SANDBOX_POLICY_SYSTEM_CALLS_H_
#define ASSAY_SANDBOX_POLICY_SYSTEM_CALLS_H_

#include <string_view>

// The lists of the cells' seccomp policy, names separated by spaces. Calls that
// depend on their arguments (socket, socketpair, clone, ioctl, personality) are
// in compile_filter.cc; what is in no list answers ENOSYS.
namespace assay::sandbox {

// What compilers, language runtimes, databases and shells use.
inline constexpr std::string_view kAllowed =
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
inline constexpr std::string_view kRefused =
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

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_POLICY_SYSTEM_CALLS_H_
