#ifndef ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_
#define ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_

// The least that a cell costs: the system calls that its isolation, its limits
// and its result need, straight after each other in one function. No session,
// no messages, no event loop, no timers, no error messages, no bookkeeping for
// more than one cell.
//
// The calls, in order (keep this list true; it is what "floor" means). Effects
// are those of a cell: the same view, limits, result, and pid 1.
//   parent   mkdir in v2; a socket pair; clone3 into it with five namespaces;
//            uid_map, gid_map; mkdir, limit and open tasks in two v1
//            hierarchies; eventfd for memory; tasks to pid 1; a detached tmpfs
//            with folders and links; copies of /usr, the shared /etc and /dev,
//            and of its own /tmp and /dev/shm attached to it; root read-only;
//            root to pid 1
//   pid 1    meanwhile: parent-death signal; network namespace, loopback up,
//            two routes; two writes to tasks; cgroup namespace; sethostname;
//            setsid; a detached /proc. With the root: move_mount over /; /proc
//            and five masks; pivot_root; umount;
//            setgroups, setresgid, setresuid; securebits; ambient set; capset;
//            no_new_privs; descriptors closed; strict seccomp; one byte back
//   parent   three pipes and a socket pair; leaf: mkdir; setns, clone3, setns
//   program  oom_score_adj; two writes to tasks; setns to five namespaces;
//            cgroup namespace; three dup, one dup3, close_range; rlimits;
//            setgroups, setresgid, setresuid; setsid; umask; priority; bounding
//            set; securebits; ambient set; capset; no_new_privs; seccomp;
//            Landlock with three places; chdir; execve
//   parent   both outputs read to their end; waitid; leaf: kill; pid 1:
//            SIGKILL; oom_control, memory and pids peaks; leaf: cpu.stat,
//            rmdir; pid 1: waitid; three rmdir
// As a program, with one cell: the directories of the cgroups are the cell's;
// what cells share (/etc, /dev and /usr) is made after the clone of pid 1, and
// moved instead of copied; the program is cloned before pid 1 is ready and
// waits for a byte. So does assay-sandbox.
namespace assay::bench {

// Prepares what all cells share, or with `once` what the only one needs. False
// with errno.
bool PrepareFloor(bool once);

// Builds a cell, runs /bin/true in it, takes it down. The exit status of the
// program, or -1.
int RunFloorCell();

void CleanUpFloor();

}  // namespace assay::bench

#endif  // ASSAY_TESTS_BENCH_SANDBOX_FLOOR_H_
