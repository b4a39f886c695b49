#ifndef ASSAY_SANDBOX_ROOTFS_ROOT_BUILDER_H_
#define ASSAY_SANDBOX_ROOTFS_ROOT_BUILDER_H_

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "sandbox/cell/spec.h"
#include "sandbox/cell/termination.h"
#include "sandbox/rootfs/staging.h"

namespace assay::sandbox {

// Who owns what a cell may write.
struct CellOwner {
  // The cell's uid and gid as the launcher sees them.
  std::uint32_t uid = 0;
  // A user namespace that maps the worker's uid and gid to the cell's, for
  // mounts of host directories; -1 where both are the same.
  int id_map = -1;
};

struct BuildFault {
  SetupFault fault;
  // What was concerned: "bind /srv/x on /data".
  std::string detail;
};
template <class T>
using Built = std::expected<T, BuildFault>;

// A volume of a session: a tmpfs that the cell's user owns.
Built<StagedMount> BuildVolume(const VolumeSpec& volume,
                               const CellOwner& owner);

// Puts the root file system of a cell together, all but /proc, and returns it
// as a detached tree. `volumes` are the session's mounts, `fds` the session's
// descriptors; positions in `spec` refer to them.
Built<UniqueFd> BuildRoot(Staging& staging, const CellSpec& spec,
                          const CellOwner& owner,
                          std::span<const StagedMount> volumes,
                          std::span<const UniqueFd> fds);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_ROOTFS_ROOT_BUILDER_H_
