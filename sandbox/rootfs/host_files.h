#ifndef ASSAY_SANDBOX_ROOTFS_HOST_FILES_H_
#define ASSAY_SANDBOX_ROOTFS_HOST_FILES_H_

#include <array>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// A name in a root directory: a link to copy, or something to mount.
struct TopEntry {
  std::string name;
  // Empty: not a link.
  std::string link_target;
  bool directory = true;
};

// The names in `root`, this machine's root directory, that a `host` cell sees:
// /usr and the folders or links that come with it.
std::vector<TopEntry> HostTopEntries(int root);

// Gives `root`, a file system of somebody else, our own /etc/hosts if it has
// none or an empty one: images leave it to whoever runs them. False with errno
// if it cannot be written; a link in the way is left alone.
bool ProvideHosts(int root);

// Fills `directory` (an empty, writable directory, attached in this mount
// namespace) with the /etc of `host` cells: accounts and network files of our
// own; from the host what compilers and runtimes read, nothing that is about
// this machine or its users.
Status FillEtc(int directory);

// What FillEtc mounts instead of copying it: files and folders below /etc.
std::vector<std::string> MountedEtc();

struct CellDevice {
  const char* name;
  unsigned minor;
};
// The harmless ones, of major number 1.
inline constexpr std::array<CellDevice, 5> kCellDevices = {
    {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}}};

// Fills `directory` with the harmless devices and a mount point `shm`. Who may
// not make devices gets them as mounts.
Status FillDev(int directory);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_ROOTFS_HOST_FILES_H_
