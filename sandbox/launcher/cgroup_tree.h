#ifndef ASSAY_SANDBOX_LAUNCHER_CGROUP_TREE_H_
#define ASSAY_SANDBOX_LAUNCHER_CGROUP_TREE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

enum class Controller : std::uint8_t { kMemory, kPids, kCpu, kIo };
inline constexpr std::size_t kControllers = 4;

// The cgroups in which this launcher makes those of its cells: a directory
// "assay-<pid>" (or "assay-<pid>-<n>", where that one is somebody else's)
// below the cgroup that the launcher was started in, in the
// unified (v2) hierarchy and, on hybrid hosts, in the v1 hierarchy of each
// controller that v2 does not have. What cannot be had is left out and shows in
// `weaker`.
//
// Every directory is locked (flock) while its launcher lives: those of
// launchers that were killed are found unlocked and removed at the next start.
class CgroupTree {
 public:
  // For whom the tree is.
  struct Use {
    // At most one cell at a time, which then needs no directories of its own.
    bool single_cell = false;
    // Whether some cell limits its share of the processors.
    bool cores = true;
    // Whether some cell limits how fast it reads and writes. The worker's do
    // not, and each controller costs every cell some time.
    bool io = false;
  };

  // Never fails: on a host without any cgroup that we may write the tree is
  // empty.
  static CgroupTree Probe(const Use& use);
  CgroupTree(CgroupTree&&) noexcept;
  CgroupTree& operator=(CgroupTree&&) = delete;
  ~CgroupTree();

  // Removes the directories, which must be empty of cells; so does the
  // destructor. False while something in them is still dying.
  bool Remove() const;

  // Where cells get their leaves; -1 without a usable v2 hierarchy.
  int unified() const { return unified_.base.get(); }
  // Whether `unified` limits this resource.
  bool UnifiedHas(Controller controller) const {
    return unified_has_[static_cast<std::size_t>(controller)];
  }
  // The v1 hierarchy that limits it; -1 if none.
  int Legacy(Controller controller) const {
    return legacy_[static_cast<std::size_t>(controller)].base.get();
  }
  bool Has(Controller controller) const {
    return UnifiedHas(controller) || Legacy(controller) >= 0;
  }
  // Of the disks that io.max knows: "8:0", ...
  const std::vector<std::string>& disks() const { return disks_; }
  bool single_cell() const { return use_.single_cell; }
  // Weakness bits.
  std::uint32_t weaker() const;

 private:
  // Our directory below the cgroup that we were given.
  struct Base {
    UniqueFd given;
    UniqueFd base;
    std::string name;
  };
  explicit CgroupTree(const Use& use) : use_(use) {}
  Base Open(const std::string& given_path);

  Use use_;
  // Whether an earlier launcher has left something behind.
  bool found_stale_ = false;
  Base unified_;
  std::array<bool, kControllers> unified_has_ = {};
  std::vector<std::string> disks_;
  std::array<Base, kControllers> legacy_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_CGROUP_TREE_H_
