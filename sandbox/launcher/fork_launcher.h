#ifndef ASSAY_SANDBOX_LAUNCHER_FORK_LAUNCHER_H_
#define ASSAY_SANDBOX_LAUNCHER_FORK_LAUNCHER_H_

#include "proto/base/error.h"
#include "sandbox/cell/launcher.h"
#include "sandbox/cell/unique_fd.h"
#include "sandbox/launcher/cgroup_tree.h"

namespace assay::sandbox {

// Serves the worker at the other end of `control` in this process until it
// closes it; the program's exit code. The process must have one thread.
int ServeLauncher(UniqueFd control, const CgroupTree::Use& use = {});

// A launcher in a fork of this program instead of a program of its own: for
// assay-sandbox, where an exec would cost as much as the cell. The process must
// have one thread.
Expected<Launcher> ForkLauncher(const CgroupTree::Use& use);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_FORK_LAUNCHER_H_
