// assay-launcher: builds cells for the worker that started it.
//
// THEORY OF OPERATION
//
// Processes. The worker (assay-runner) starts one launcher and holds a socket
// to it. For each run the worker makes a *session*: it hands over blueprints of
// cells and gets a second socket, which it passes to that run's assay-run.
// Through it assay-run can have cells of those blueprints built and the
// processes listed in them started, and nothing else: it sends numbers, never
// paths, commands or limits. A cell consists of
//   pid 1      a fork of the launcher without any privilege, that only waits
//              for the launcher's end, in seccomp's strict mode;
//   processes  each a fork of the launcher too, that enters the cell's
//              namespaces, gives up its privileges and executes a program.
// The launcher is the parent of both, so it learns of every end from the
// kernel.
//
// Privileges. Started by root, the launcher keeps root; each group of cells
// that shares a volume gets a uid that nobody else on the machine has. Started
// by anybody else, it enters a user namespace, has root's rights over what is
// made in there and none outside, and all cells run under the caller's uid. A
// cell has one user namespace with one uid and one gid in it, no capability,
// and no_new_privs, so nothing inside can become anything else. The launcher
// never opens a path that a candidate could have written: what it mounts is
// named by the worker, mount points are found with openat2 and no links, and
// from inside a cell it reads nothing. Unpacking a commit happens inside the
// cell, without privileges.
//
// Descriptors. Everything is close-on-exec. What a process of a cell keeps: its
// three standard streams; before exec also a socket for telling a setup fault.
// What the client gets: the other ends, an exit pipe that yields one record and
// closes, and sockets that were made inside a cell's network namespace.
//
// Order of steps for a cell (root_builder, live_cell, cell_init):
//   launcher  v2 cgroup; clone3 into it and into new user, mount, pid, ipc and
//             uts namespaces; id maps; v1 cgroups with limits, and pid 1 into
//             them; root file system put together from detached mounts, and
//             handed over; keeps pid 1's pidfd as the way into its namespaces
//   pid 1     meanwhile: network namespace, loopback up. With the root: cgroup
//             namespace; host name; session; root mounted over "/", /proc with
//             masks, pivot_root, "can be entered"; old root gone; uid;
//             capabilities, no_new_privs; all descriptors but one closed;
//             strict seccomp; "ready"
// and for a process (live_process, process_entry):
//   launcher  a leaf cgroup; pipes; clone3 into the cell's pid namespace and
//             the leaf
//   child     v1 cgroups; the cell's other namespaces; rlimits; uid; session;
//             opaque to ptrace; capabilities, no_new_privs, seccomp, Landlock;
//             working directory; exec
// assay-sandbox, which has one process for one cell, clones it while pid 1 is
// busy. The child then waits twice: for "can be entered", and without any
// privilege left, before it looks at any path, for "ready".
// Cells whose blueprint expects to be started are built so before they are
// asked for, in idle time, and wait; each is used once. So are processes, as
// far as Landlock: v1 cgroups, working directory and exec follow when they are
// asked for. A candidate controls what happens after the last step, and in a
// cell that runs already, what its own processes do meanwhile: the child has
// another uid or is opaque to them until it has executed, and takes signals
// from them only once it has nothing to lose. A child that is held up that way
// holds up itself: the launcher waits for nobody.
//
// Ends. A process, and what it started, dies with its leaf (cgroup.kill), a
// cell with its cgroup and its pid 1, all of them with the launcher
// (parent-death signal on every pid 1). A session ends when its socket closes,
// the launcher when the worker's does. Time limits are timers of this one
// thread, which runs at real-time priority where that is allowed; memory limits
// are the kernel's, and its counter says whether a death was one.

#include <fcntl.h>

#include <cstdio>

#include "proto/base/fault_point.h"
#include "sandbox/launcher/fork_launcher.h"

int main() {
  // Inherited from the worker.
  constexpr int kControlFd = 3;
  ::fcntl(kControlFd, F_SETFD, FD_CLOEXEC);
  if (const auto armed = assay::ArmFaultPoint(); !armed) {
    std::fprintf(stderr, "assay-launcher: %s\n", armed.error().message.c_str());
    return 2;
  }
  return assay::sandbox::ServeLauncher(assay::sandbox::UniqueFd(kControlFd));
}
