#ifndef ASSAY_SANDBOX_LAUNCHER_CELL_INIT_H_
#define ASSAY_SANDBOX_LAUNCHER_CELL_INIT_H_

#include <string>

#include "sandbox/launcher/cell_cgroup.h"

namespace assay::sandbox {

// What the first process of a cell needs to know. Descriptors are inherited.
struct CellInitPlan {
  // The root file system, detached.
  int root_tree = -1;
  // A byte arrives when the id maps are written; end of file when the launcher
  // died.
  int release = -1;
  // Takes one SetupFault: how it went.
  int ready = -1;
  const CellCgroup* cgroup = nullptr;
  std::string hostname;
  bool loopback = true;
  bool drop_groups = true;
};

// Pid 1 of a cell, in a child cloned into new user, mount, pid, network, ipc
// and uts namespaces: finishes them, gives up every privilege, and from then on
// only reaps orphans. It takes no orders, so nothing inside the cell can make
// it act.
[[noreturn]] void RunCellInit(const CellInitPlan& plan);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CELL_INIT_H_
