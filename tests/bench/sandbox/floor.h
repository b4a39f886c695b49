#ifndef ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_
#define ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_

// The least that a cell costs: the system calls that its isolation and limits
// need, in one process, with nothing around them. No session, no messages, no
// pipes, no pid 1 beside the program, no counters, no error messages.
//
// The calls, in order (keep this list true; it is what "floor" means):
//   parent  mkdir v2 leaf; mkdir, memory.limit and pids.max in two v1
//           hierarchies; clone3 with six namespaces into the leaf; uid_map,
//           gid_map; one byte to the child; waitid; six rmdir
//   child   two writes to tasks; unshare the cgroup namespace; tmpfs root with
//           folders and links; read-only copies of /usr and of the shared /dev;
//           writable /tmp and /dev/shm of the root; root read-only; move_mount
//           over /; /proc and five masks; pivot_root; umount; loopback up and
//           two routes; sethostname; setsid; setgroups, setresgid, setresuid;
//           rlimits; capabilities; no_new_privs; seccomp; execve
namespace assay::sandbox {

// Prepares what all cells share. False with errno.
bool PrepareFloor();

// Builds a cell, runs /bin/true in it, takes it down. The exit status of the
// program, or -1.
int RunFloorCell();

void CleanUpFloor();

}  // namespace assay::sandbox

#endif  // ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_
