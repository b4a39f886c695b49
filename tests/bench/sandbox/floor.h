#ifndef ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_
#define ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_

// The least that a cell costs: the system calls that its isolation and limits
// need, in one process, with nothing around them. No session, no messages, no
// pipes, no pid 1 beside the program, no counters, no error messages.
//
// The calls, in order (keep this list true; it is what "floor" means):
//   parent  mkdir in v2; mkdir, memory.limit and pids.max in two v1
//           hierarchies; a detached tmpfs with folders and links; copies of
//           /usr, the shared /etc and /dev, and of its own /tmp and /dev/shm
//           attached to it; root read-only; clone3 with six namespaces into the
//           v2 directory; uid_map, gid_map; one byte to the child; waitid;
//           three rmdir
//   child   two writes to tasks; unshare the cgroup namespace; move_mount over
//           /; /proc and five masks; pivot_root; umount; loopback up and two
//           routes; sethostname; setsid; rlimits; setgroups, setresgid,
//           setresuid; priority; bounding set; securebits; ambient set; capset;
//           no_new_privs; seccomp; execve
// As a program also, before and after: the directories of the cgroups, and what
// cells share (/etc, /dev and /usr), as the launcher makes them.
namespace assay::bench {

// Prepares what all cells share. False with errno.
bool PrepareFloor();

// Builds a cell, runs /bin/true in it, takes it down. The exit status of the
// program, or -1.
int RunFloorCell();

void CleanUpFloor();

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_
