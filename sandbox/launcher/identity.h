#ifndef ASSAY_SANDBOX_LAUNCHER_IDENTITY_H_
#define ASSAY_SANDBOX_LAUNCHER_IDENTITY_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>

#include "proto/base/error.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// Who the launcher is and as whom cells run outside.
//
// As root: every group of cells that shares volumes gets a uid (and gid) of its
// own from a range that nobody else uses. As an ordinary user: the launcher
// enters a user namespace in which it may do the same things, and every cell
// runs under the caller's uid.
class Identity {
 public:
  // Drops supplementary groups as root, enters a user (and network) namespace
  // otherwise. `worker` is the user on whose behalf host directories are
  // mounted.
  static Expected<Identity> Enter(uid_t worker_uid, gid_t worker_gid);

  bool rootless() const { return rootless_; }

  // The outer uid of a new group of cells; 0 when all are taken. Given back by
  // Release.
  std::uint32_t Take();
  void Release(std::uint32_t uid);

  // A user namespace that maps the worker to `uid`, for mounts; -1 with errno
  // on failure. Not for the rootless case, where there is nothing to map.
  int IdMap(std::uint32_t uid);

  // Lets the process `pid`, freshly cloned into a user namespace, be the cell's
  // user there and `uid` outside.
  bool MapCell(pid_t pid, std::uint32_t uid) const;

 private:
  Identity() = default;
  static Expected<Identity> EnterUserNamespace();

  bool rootless_ = false;
  uid_t worker_uid_ = 0;
  gid_t worker_gid_ = 0;
  std::uint32_t first_uid_ = 0;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> taken_;
  std::map<std::uint32_t, UniqueFd> id_maps_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_IDENTITY_H_
