#ifndef ASSAY_SANDBOX_ROOTFS_MOUNT_CALLS_H_
#define ASSAY_SANDBOX_ROOTFS_MOUNT_CALLS_H_

#include <sys/mount.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/cell/unique_fd.h"

// The kernel's descriptor-based mount calls, in the few forms that we use. All
// report failure by an empty descriptor or false, with errno set. A "tree" is a
// detached mount with what is mounted below it; closing it unmounts it.
namespace assay::sandbox {

struct TmpfsOptions {
  std::int64_t bytes = 0;
  std::int64_t inodes = 0;
  std::uint32_t owner = 0;
  std::uint32_t mode = 0755;
  // MOUNT_ATTR_* of the mount.
  std::uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
};
UniqueFd NewTmpfs(const TmpfsOptions& options);

// `lower`, `upper` and `work` are descriptors of directories in this mount
// namespace. `in_user_namespace`: keep marks in user.* attributes.
UniqueFd NewOverlay(int lower, int upper, int work, bool in_user_namespace);

// /proc of this process's pid namespace, other processes hidden.
UniqueFd NewProc();

// A detached copy of what stands at `path` (of `at` itself when empty), with
// (`recursive`) or without what is mounted below.
UniqueFd CloneTree(int at, const std::string& path, bool recursive);

// Attaches `tree` at `path` below `at` (at `at` itself when empty).
bool AttachTree(int tree, int at, const std::string& path);

// Sets MOUNT_ATTR_* on the mounts of `tree`; with `id_map` (a user namespace's
// descriptor, or -1) also maps their owners. What is mounted on them from then
// on does not show where they were copied from.
bool SetMountAttributes(int tree, std::uint64_t attributes, int id_map,
                        bool recursive);

// Opens `path` below `root` as if that were "/", following no link, creating
// missing directories (and, if `file`, an empty file at the end).
UniqueFd MakeMountPoint(int root, std::string_view path, bool file);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_ROOTFS_MOUNT_CALLS_H_
