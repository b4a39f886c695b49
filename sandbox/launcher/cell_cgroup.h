#ifndef ASSAY_SANDBOX_LAUNCHER_CELL_CGROUP_H_
#define ASSAY_SANDBOX_LAUNCHER_CELL_CGROUP_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sandbox/cell/session.h"
#include "sandbox/cell/spec.h"
#include "sandbox/launcher/cgroup_tree.h"

namespace assay::sandbox {

struct CpuTimes {
  std::int64_t user_ns = 0;
  std::int64_t system_ns = 0;
  std::int64_t total_ns = 0;
};

struct CellPeaks {
  std::int64_t memory_bytes = 0;
  std::int32_t pids = 0;
};

// The cgroups of one cell: a directory "c<id>" in each hierarchy that limits
// something, in which the cell's own pid 1 lives, and below it, in the v2
// hierarchy, one leaf for each process that was started. (v2 lets processes and
// directories live beside each other where no controller is handed down.) A
// leaf is used once: after its kill, the kernel kills whatever is born into it.
// The only cell of a tree for a single cell lives in the tree's own
// directories, which the tree removes.
//
// Ownership: borrows the tree, which must outlive it.
class CellCgroup {
 public:
  // Makes the v2 directory, into which pid 1 is cloned, and sets what of
  // `limits` it enforces. False with errno.
  bool Create(const CgroupTree& tree, std::uint32_t id, const Limits& limits);
  // The same in the v1 hierarchies, which pid 1 joins by `tasks`.
  bool CreateLegacy();

  // Descriptors for clone3's CLONE_INTO_CGROUP; -1 without a v2 hierarchy.
  int directory() const { return unified_.get(); }
  UniqueFd MakeLeaf(std::uint32_t process);
  // Has EPOLLPRI when the last process of it is gone.
  UniqueFd LeafEvents(std::uint32_t process) const;
  // False while something in it is still dying.
  bool RemoveLeaf(std::uint32_t process);

  // Whether the kernel shares out processor time to this cell by itself.
  bool HasCpu() const;

  // What a process of the cell needs to enter the v1 hierarchies by itself.
  std::vector<int> tasks() const;
  // For children that were cloned into a leaf: enters the v1 hierarchies.
  // Called in the child. False with errno.
  //
  // There is no way to move another process: the kernel would lock all forks
  // and exits of the host for it, which waits for an RCU grace period, often
  // ten milliseconds. A single thread that moves itself needs no lock.
  static bool Join(std::span<const int> tasks);
  // Whether what was cloned into a leaf but has not joined counts for nothing.
  bool LeavesOutUntilJoined() const;

  // Readable (`oom_is_priority`: EPOLLPRI instead) when the kernel may have
  // killed something for memory; OomKills tells. -1 if there is no such thing.
  int oom_event() const { return oom_event_.get(); }
  bool oom_is_priority() const { return oom_is_priority_; }
  std::int32_t OomKills() const;

  CellStats Stats() const;
  CellPeaks Peaks() const;
  static CpuTimes LeafTimes(int leaf);

  // All processes of a leaf, of the cell. A CPU quota is lifted first: it
  // would make them die slowly; it returns with the next MakeLeaf.
  bool KillLeaf(int leaf);
  bool KillAll();
  void LiftQuota();
  bool SetFrozen(bool frozen);

  // Removes the directories. False while something is still dying.
  bool Remove();

 private:
  bool CreateLegacy(Controller controller);
  bool SetUnifiedLimits();
  bool SetDiskRate();
  UniqueFd MakeCellDirectory(int base) const;
  bool WatchMemory();
  void SetQuota(bool on);
  int Directory(Controller controller) const;

  const CgroupTree* tree_ = nullptr;
  std::string name_;
  Limits limits_;
  bool quota_on_ = false;
  UniqueFd unified_;
  std::array<UniqueFd, kControllers> legacy_;
  std::array<UniqueFd, kControllers> legacy_tasks_;
  UniqueFd oom_event_;
  UniqueFd oom_control_;
  bool oom_is_priority_ = false;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CELL_CGROUP_H_
