#ifndef ASSAY_SANDBOX_LAUNCHER_PROCESS_ENTRY_H_
#define ASSAY_SANDBOX_LAUNCHER_PROCESS_ENTRY_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sandbox/cell/spec.h"
#include "sandbox/launcher/cell_cgroup.h"
#include "sandbox/launcher/cell_namespaces.h"
#include "sandbox/policy/confinement.h"

namespace assay::sandbox {

// Where a process that is cloned before its time waits for its launcher.
enum class Hold : std::uint8_t {
  kNone,
  // While pid 1 finishes the cell: once until it can be entered, and with its
  // privileges given up until it stands.
  kBeforeCell,
  // With all done but the working directory and the program, until somebody
  // wants it started.
  kBeforeProgram,
};

// What a child needs to become a process of a cell. Descriptors are inherited.
struct ProcessEntryPlan {
  const ProcessSpec* spec = nullptr;
  const CellNamespaces* namespaces = nullptr;
  // See CellCgroup.
  std::vector<int> tasks;
  std::span<const ResourceLimit> limits;
  // What it may change, for the write fence; empty: everything there is.
  std::span<const std::string> writable;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  // A socket. Takes a SetupFault if it comes to that; closed by a successful
  // exec. A byte from it ends a wait.
  int fault_fd = -1;
  // For UnpackAction; else -1.
  int archive_fd = -1;
  bool drop_groups = true;
  Hold hold = Hold::kNone;
};

// In a child cloned into the cell's pid namespace and a leaf of its cgroup:
// joins the other namespaces, gives up every privilege and runs the program (or
// the unpacking). A fork of the launcher rather than an order to the cell's
// pid 1, so that the launcher is the parent and the kernel tells it the truth
// about the end.
[[noreturn]] void RunProcessEntry(const ProcessEntryPlan& plan);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_PROCESS_ENTRY_H_
