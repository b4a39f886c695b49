#ifndef ASSAY_SANDBOX_LAUNCHER_CELL_INIT_H_
#define ASSAY_SANDBOX_LAUNCHER_CELL_INIT_H_

#include <array>
#include <string>

namespace assay::sandbox {

// In /proc, readable by everybody, and about the machine rather than the cell:
// shown empty.
inline constexpr std::array<const char*, 5> kMaskedProcFiles = {
    "kallsyms", "keys", "key-users", "timer_list", "cmdline"};

inline constexpr char kTellEntrance = 'e';

// What the first process of a cell needs to know. Descriptors are inherited.
struct CellInitPlan {
  // A record socket to the launcher. Two records of a byte arrive: one with
  // what it takes to join the cell's cgroups, when those are made and the id
  // maps are written, and one with the root file system, a detached tree. A
  // SetupFault goes back for how it went, and, if the second byte was
  // kTellEntrance, before that one of step kNone as soon as processes can
  // enter: the root is the cell's, and all that is left is to take the old one
  // away and to give up privileges. The channel's end means that the launcher
  // died.
  int channel = -1;
  std::string hostname;
  bool loopback = true;
  // Makes the network namespace, which takes the kernel longer than all others
  // together, while the launcher builds the root.
  bool make_network = false;
  bool drop_groups = true;
};

// Pid 1 of a cell, in a child cloned into new namespaces: finishes them, gives
// up every privilege, and from then on only reaps orphans. It takes no orders,
// so nothing inside the cell can make it act.
[[noreturn]] void RunCellInit(const CellInitPlan& plan);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CELL_INIT_H_
