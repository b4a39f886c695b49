#include "sandbox/rootfs/staging.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/rootfs/mount_calls.h"

namespace assay::sandbox {
namespace {

constexpr std::uint64_t kReadOnly =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

Expected<StagedMount> StageTmpfs(const TmpfsOptions& options,
                                 std::string_view what) {
  StagedMount mount(NewTmpfs(options));
  if (!mount) return SystemError(what, errno);
  return mount;
}

Status MakeAreaTheRoot() {
  const UniqueFd area =
      NewTmpfs({.bytes = 1 << 20, .inodes = 20'000, .mode = 0755});
  if (!area || !AttachTree(area.get(), AT_FDCWD, "/") ||
      ::fchdir(area.get()) != 0 || ::mkdir("h", 0755) != 0 ||
      ::syscall(SYS_pivot_root, ".", "h") != 0 || ::chdir("/") != 0) {
    return SystemError("mount the staging area", errno);
  }
  const UniqueFd host(::open("h", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* list = host ? ::fdopendir(::dup(host.get())) : nullptr;
  if (list == nullptr) return SystemError("list /", errno);
  while (const dirent* item = ::readdir(list)) {
    const std::string name = item->d_name;
    if (name == "." || name == ".." || name == "h") continue;
    if (::symlink(("h/" + name).c_str(), name.c_str()) != 0) {
      const int saved = errno;
      ::closedir(list);
      return SystemError("link /" + name, saved);
    }
  }
  ::closedir(list);
  return {};
}

}  // namespace

StagedMount::StagedMount(UniqueFd tree) {
  static std::uint64_t counter = 0;
  if (!tree) return;
  std::string name = "m" + std::to_string(++counter);
  if (::mkdirat(AT_FDCWD, name.c_str(), 0700) != 0) return;
  // A file can only stand on a file, so a directory holds every other kind.
  struct stat info;
  const bool file = ::fstat(tree.get(), &info) == 0 && !S_ISDIR(info.st_mode);
  if (file) {
    ::rmdir(name.c_str());
    UniqueFd place(::open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  }
  if (!AttachTree(tree.get(), AT_FDCWD, name)) {
    const int saved = errno;
    ::unlinkat(AT_FDCWD, name.c_str(), file ? 0 : AT_REMOVEDIR);
    errno = saved;
    return;
  }
  name_ = std::move(name);
  fd_ = std::move(tree);
}

StagedMount::StagedMount(StagedMount&& other) noexcept
    : name_(std::exchange(other.name_, {})), fd_(std::move(other.fd_)) {}

StagedMount& StagedMount::operator=(StagedMount&& other) noexcept {
  if (this == &other) return *this;
  Unmount();
  name_ = std::exchange(other.name_, {});
  fd_ = std::move(other.fd_);
  return *this;
}

StagedMount::~StagedMount() { Unmount(); }

void StagedMount::Unmount() {
  fd_.Reset();
  if (name_.empty()) return;
  ::umount2(name_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  if (::rmdir(name_.c_str()) != 0) ::unlink(name_.c_str());
  name_.clear();
}

Expected<Staging> Staging::Enter(bool in_user_namespace) {
  if (::unshare(CLONE_NEWNS) != 0) {
    return SystemError("enter a mount namespace", errno);
  }
  // Nothing that is mounted here may appear outside. Mounts of the host still
  // reach us, so that what it unmounts does not stay busy.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return SystemError("make the mounts private", errno);
  }
  Staging staging;
  staging.in_user_namespace_ = in_user_namespace;
  ASSAY_RETURN_IF_ERROR(MakeAreaTheRoot());

  ASSAY_ASSIGN_OR_RETURN(
      staging.etc_,
      StageTmpfs({.bytes = 8 << 20, .inodes = 1000}, "mount /etc"));
  ASSAY_RETURN_IF_ERROR(FillEtc(staging.etc_.fd()));
  ASSAY_ASSIGN_OR_RETURN(
      staging.dev_,
      StageTmpfs({.bytes = 64 << 10,
                  .inodes = 64,
                  .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
                 "mount /dev"));
  ASSAY_RETURN_IF_ERROR(FillDev(staging.dev_.fd()));
  if (!SetMountAttributes(staging.etc_.fd(), kReadOnly, -1, false) ||
      !SetMountAttributes(staging.dev_.fd(), MOUNT_ATTR_RDONLY, -1, false)) {
    return SystemError("make /etc and /dev read-only", errno);
  }

  for (auto& entry : HostTopEntries()) {
    HostEntry host = {std::move(entry), {}};
    if (host.entry.link_target.empty()) {
      UniqueFd tree = CloneTree(AT_FDCWD, "/" + host.entry.name, true);
      if (!tree || !SetMountAttributes(tree.get(), kReadOnly, -1, true)) {
        return SystemError("bind /" + host.entry.name, errno);
      }
      host.mount = StagedMount(std::move(tree));
      if (!host.mount) return SystemError("stage /" + host.entry.name, errno);
    }
    staging.host_.push_back(std::move(host));
  }
  return staging;
}

}  // namespace assay::sandbox
