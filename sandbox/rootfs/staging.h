#ifndef ASSAY_SANDBOX_ROOTFS_STAGING_H_
#define ASSAY_SANDBOX_ROOTFS_STAGING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/spec.h"
#include "sandbox/cell/unique_fd.h"
#include "sandbox/rootfs/host_files.h"

namespace assay::sandbox {

// A mount that others are put together from, unmounted by the destructor. It
// stands nowhere, or on older kernels in the staging area. Others may hold
// copies of it.
class StagedMount {
 public:
  StagedMount() = default;
  // Takes `tree` over. Empty, with errno set, if that fails.
  explicit StagedMount(UniqueFd tree);
  StagedMount(StagedMount&& other) noexcept;
  StagedMount& operator=(StagedMount&& other) noexcept;
  ~StagedMount();

  explicit operator bool() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // The mount with what is mounted below it, as a detached tree of its own.
  UniqueFd TakeTree() &&;

 private:
  void Unmount();
  std::string name_;
  UniqueFd fd_;
};

// Where mounts stand while they are put together, seen by nobody else, and what
// of them all cells share.
//
// Since Linux 6.15 that is nowhere: the kernel works on detached mounts, and
// root needs no mount namespace for it. Before, it is the staging area: a tmpfs
// that becomes the root directory of a mount namespace of the launcher's own.
// The host's root stands in its folder "h", and links to what is in there keep
// absolute paths of the host valid. (A tmpfs merely stacked on "/" would make
// the process look chrooted, and such a one may not create user namespaces.)
// Ordinary users and those in a chroot get the namespace in any case.
//
// Threads: one, and one object in a process: it is about the process's mount
// namespace, root and working directory.
class Staging {
 public:
  // Enters the mount namespace, where one is needed.
  // `in_user_namespace`: the caller is not the machine's root.
  static Expected<Staging> Enter(bool in_user_namespace);
  // Makes what all cells share, below. Does nothing the second time.
  Status Prepare();

  // From now on there is one more cell, which gets the originals.
  void ForLastCell() { last_cell_ = true; }

  bool in_user_namespace() const { return in_user_namespace_; }
  StagedMount& etc() { return etc_; }
  StagedMount& dev() { return dev_; }
  // Folders of the host, ready to be copied into cells; none where the entry is
  // a link.
  struct HostEntry {
    TopEntry entry;
    StagedMount mount;
  };
  std::vector<HostEntry>& host() { return host_; }
  // A tree to be mounted in a cell. `mount` is one of the above.
  UniqueFd TreeOf(StagedMount& mount) const;

 private:
  bool in_user_namespace_ = false;
  bool prepared_ = false;
  bool last_cell_ = false;
  StagedMount etc_;
  StagedMount dev_;
  std::vector<HostEntry> host_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_ROOTFS_STAGING_H_
