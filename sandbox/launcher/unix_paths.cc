#include "sandbox/launcher/unix_paths.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

UniqueFd OpenInside(int root, const std::string& path, std::uint64_t flags) {
  open_how how = {};
  how.flags = O_PATH | O_CLOEXEC | flags;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
}

// The same, if it lies in the tmpfs that the cell has to itself.
UniqueFd OpenInScratch(int root, const std::string& path, std::uint64_t flags) {
  UniqueFd found = OpenInside(root, path, flags);
  if (!found || !Stands(Defence::kOwnFolders)) return found;
  const UniqueFd scratch = OpenInside(root, "/dev/shm", O_DIRECTORY);
  struct stat at, own;
  struct statfs kind;
  if (!scratch || ::fstat(found.get(), &at) != 0 ||
      ::fstat(scratch.get(), &own) != 0 ||
      ::fstatfs(scratch.get(), &kind) != 0) {
    return UniqueFd();
  }
  if (kind.f_type == TMPFS_MAGIC && at.st_dev == own.st_dev) return found;
  errno = EACCES;
  return UniqueFd();
}

// What `fd` stands for, whatever has its name by now; with `below`, a name in
// that folder.
bool AddressOf(int fd, const std::string& below, sockaddr_un& address) {
  const std::string path = "/proc/self/fd/" + std::to_string(fd) + below;
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return false;
  }
  address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

bool ConnectInCell(int root, const std::string& path, int socket) {
  const UniqueFd peer = OpenInScratch(root, path, 0);
  struct stat info;
  if (!peer || ::fstat(peer.get(), &info) != 0) return false;
  if (!S_ISSOCK(info.st_mode)) {
    errno = ECONNREFUSED;
    return false;
  }
  sockaddr_un address;
  return AddressOf(peer.get(), "", address) &&
         ::connect(socket, Generic(address), sizeof(address)) == 0;
}

bool ListenInCell(int root, const std::string& path, int socket) {
  const auto slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") {
    errno = EINVAL;
    return false;
  }
  const UniqueFd folder =
      OpenInScratch(root, path.substr(0, slash + 1), O_DIRECTORY);
  sockaddr_un address;
  if (!folder || !AddressOf(folder.get(), "/" + name, address)) return false;
  // Afterwards the name may be somebody else's.
  const mode_t mask = ::umask(0);
  const bool bound = ::bind(socket, Generic(address), sizeof(address)) == 0;
  const int saved = errno;
  ::umask(mask);
  errno = saved;
  constexpr int kBacklog = 128;
  return bound && ::listen(socket, kBacklog) == 0;
}

}  // namespace assay::sandbox
