#include "sandbox/rootfs/mount_calls.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

std::string FdPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

bool SetString(int context, const char* key, const std::string& value) {
  return ::fsconfig(context, FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
}

UniqueFd FinishMount(int context, std::uint64_t attributes) {
  if (::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return UniqueFd();
  }
  return UniqueFd(::fsmount(context, FSMOUNT_CLOEXEC,
                            static_cast<unsigned int>(attributes)));
}

UniqueFd OpenInRoot(int root, const std::string& path, int flags,
                    mode_t mode = 0) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
}

}  // namespace

UniqueFd NewTmpfs(const TmpfsOptions& options) {
  UniqueFd context(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context) return context;
  char mode[8];
  std::snprintf(mode, sizeof(mode), "%o", options.mode);
  const std::string owner = std::to_string(options.owner);
  if (!SetString(context.get(), "size", std::to_string(options.bytes)) ||
      !SetString(context.get(), "nr_inodes", std::to_string(options.inodes)) ||
      !SetString(context.get(), "mode", mode) ||
      !SetString(context.get(), "uid", owner) ||
      !SetString(context.get(), "gid", owner)) {
    return UniqueFd();
  }
  return FinishMount(context.get(), options.attributes);
}

UniqueFd NewOverlay(int lower, int upper, int work, bool in_user_namespace) {
  UniqueFd context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context) return context;
  if (!SetString(context.get(), "lowerdir", FdPath(lower)) ||
      !SetString(context.get(), "upperdir", FdPath(upper)) ||
      !SetString(context.get(), "workdir", FdPath(work))) {
    return UniqueFd();
  }
  if (in_user_namespace && ::fsconfig(context.get(), FSCONFIG_SET_FLAG,
                                      "userxattr", nullptr, 0) != 0) {
    return UniqueFd();
  }
  return FinishMount(context.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

UniqueFd NewProc() {
  UniqueFd context(::fsopen("proc", FSOPEN_CLOEXEC));
  if (!context) return context;
  if (Stands(Defence::kHiddenProcesses) &&
      !SetString(context.get(), "hidepid", "invisible")) {
    return UniqueFd();
  }
  return FinishMount(context.get(),
                     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

UniqueFd CloneTree(int at, const std::string& path, bool recursive) {
  unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT;
  if (recursive) flags |= AT_RECURSIVE;
  if (path.empty()) flags |= AT_EMPTY_PATH;
  return UniqueFd(::open_tree(at, path.c_str(), flags));
}

bool AttachTree(int tree, int at, const std::string& path) {
  unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH;
  if (path.empty()) flags |= MOVE_MOUNT_T_EMPTY_PATH;
  return ::move_mount(tree, "", at, path.c_str(), flags) == 0;
}

bool SetMountAttributes(int tree, std::uint64_t attributes, int id_map,
                        bool recursive) {
  mount_attr attr = {};
  attr.attr_set = attributes;
  attr.propagation = MS_SLAVE;
  if (id_map >= 0) {
    attr.attr_set |= MOUNT_ATTR_IDMAP;
    attr.userns_fd = static_cast<std::uint64_t>(id_map);
  }
  const unsigned int flags =
      AT_EMPTY_PATH | (recursive ? static_cast<unsigned>(AT_RECURSIVE) : 0u);
  return ::mount_setattr(tree, "", flags, &attr, sizeof(attr)) == 0;
}

UniqueFd MakeMountPoint(int root, std::string_view path, bool file) {
  const std::string whole(path);
  UniqueFd found = OpenInRoot(root, whole, O_PATH);
  if (found || errno != ENOENT) return found;
  UniqueFd at(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  std::size_t begin = 1;
  while (at && begin < whole.size()) {
    const auto end = std::min(whole.find('/', begin), whole.size());
    const std::string name = whole.substr(begin, end - begin);
    const bool last = end == whole.size();
    if (last && file) {
      UniqueFd made = OpenInRoot(at.get(), name, O_CREAT | O_WRONLY, 0644);
      if (!made) return made;
    } else if (::mkdirat(at.get(), name.c_str(), 0755) != 0 &&
               errno != EEXIST) {
      return UniqueFd();
    }
    at = OpenInRoot(at.get(), name, O_PATH);
    begin = end + 1;
  }
  return at;
}

}  // namespace assay::sandbox
