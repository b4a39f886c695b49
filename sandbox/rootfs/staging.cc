#include "sandbox/rootfs/staging.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

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

// Goes to where ".." ends. False with errno.
bool ClimbToTheTop() {
  struct statx here, above;
  constexpr unsigned kWhat = STATX_INO | STATX_MNT_ID;
  do {
    if (::statx(AT_FDCWD, ".", 0, kWhat, &here) != 0 || ::chdir("..") != 0 ||
        ::statx(AT_FDCWD, ".", 0, kWhat, &above) != 0) {
      return false;
    }
  } while (here.stx_ino != above.stx_ino ||
           here.stx_mnt_id != above.stx_mnt_id);
  return true;
}

// Leaves a chroot for the root of the mount namespace: with the working
// directory above the root directory ".." has no end before that. Root only.
// False with errno.
bool LeaveChroot() {
  return ::chdir("/") == 0 && ::chroot("proc") == 0 && ClimbToTheTop() &&
         ::chroot(".") == 0;
}

// Whether "/" is something else than the root of the mount namespace. The
// kernel lets nobody who lives like that create user namespaces.
Expected<bool> IsChrooted() {
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct statx inside, outside;
  constexpr unsigned kWhat = STATX_INO | STATX_MNT_ID;
  if (!root || ::statx(root.get(), "", AT_EMPTY_PATH, kWhat, &inside) != 0 ||
      !LeaveChroot() || ::statx(AT_FDCWD, "/", 0, kWhat, &outside) != 0 ||
      ::fchdir(root.get()) != 0 || ::chroot(".") != 0) {
    return SystemError("look for a chroot (is /proc mounted?)", errno);
  }
  return inside.stx_ino != outside.stx_ino ||
         inside.stx_mnt_id != outside.stx_mnt_id;
}

// Makes the directory that we are chrooted to the root of this mount namespace,
// which nobody else is in.
Status MakeChrootAMount() {
  const UniqueFd wanted(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!wanted || !LeaveChroot() ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return SystemError("leave the chroot", errno);
  }
  const UniqueFd copy = CloneTree(wanted.get(), "", true);
  if (!copy || !AttachTree(copy.get(), wanted.get(), "") ||
      ::fchdir(copy.get()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return FailedPrecondition(
        "this is a chroot, where the kernel makes no user namespaces, and it "
        "cannot be turned into a root of its own (errno ",
        errno, "); use pivot_root or unshare --root instead of chroot");
  }
  return {};
}

// Enters a mount namespace of its own. Nothing that is mounted here may appear
// outside; mounts of the host still reach us, so that what it unmounts does not
// stay busy.
Status EnterMountNamespace(bool chrooted) {
  if (::unshare(CLONE_NEWNS) != 0) {
    return SystemError("enter a mount namespace", errno);
  }
  if (chrooted) return MakeChrootAMount();
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return SystemError("make the mounts private", errno);
  }
  return {};
}

// From 6.15 on the kernel works on mounts that are attached nowhere.
bool MountsStandAlone() {
  utsname name = {};
  int major = 0;
  int minor = 0;
  if (::uname(&name) != 0 ||
      std::sscanf(name.release, "%d.%d", &major, &minor) != 2) {
    return false;
  }
  return std::pair(major, minor) >= std::pair(6, 15);
}

bool stand_alone = false;

}  // namespace

StagedMount::StagedMount(UniqueFd tree) {
  static std::uint64_t counter = 0;
  if (!tree) return;
  if (stand_alone) {
    fd_ = std::move(tree);
    return;
  }
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

UniqueFd StagedMount::TakeTree() && {
  if (name_.empty()) return std::move(fd_);
  return CloneTree(fd_.get(), "", true);
}

void StagedMount::Unmount() {
  fd_.Reset();
  if (name_.empty()) return;
  ::umount2(name_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  if (::rmdir(name_.c_str()) != 0) ::unlink(name_.c_str());
  name_.clear();
}

// Copies cost little, but their originals are taken down one by one.
UniqueFd Staging::TreeOf(StagedMount& mount) const {
  if (last_cell_) return std::move(mount).TakeTree();
  return CloneTree(mount.fd(), "", true);
}

Expected<Staging> Staging::Enter(bool in_user_namespace) {
  bool chrooted = false;
  if (!in_user_namespace) {
    ASSAY_ASSIGN_OR_RETURN(chrooted, IsChrooted());
  }
  stand_alone = MountsStandAlone();
  if (in_user_namespace || chrooted || !stand_alone) {
    ASSAY_RETURN_IF_ERROR(EnterMountNamespace(chrooted));
  }
  Staging staging;
  staging.in_user_namespace_ = in_user_namespace;
  if (!stand_alone) ASSAY_RETURN_IF_ERROR(MakeAreaTheRoot());
  return staging;
}

Status Staging::Prepare() {
  if (std::exchange(prepared_, true)) return {};
  ASSAY_ASSIGN_OR_RETURN(
      etc_, StageTmpfs({.bytes = 8 << 20, .inodes = 1000}, "mount /etc"));
  ASSAY_RETURN_IF_ERROR(FillEtc(etc_.fd()));
  ASSAY_ASSIGN_OR_RETURN(
      dev_, StageTmpfs({.bytes = 64 << 10,
                        .inodes = 64,
                        .attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
                       "mount /dev"));
  ASSAY_RETURN_IF_ERROR(FillDev(dev_.fd()));
  if (!SetMountAttributes(etc_.fd(), kReadOnly, -1, true) ||
      !SetMountAttributes(dev_.fd(), MOUNT_ATTR_RDONLY, -1, false)) {
    return SystemError("make /etc and /dev read-only", errno);
  }

  const UniqueFd root(
      ::open(stand_alone ? "/" : "h", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (auto& entry : HostTopEntries(root.get())) {
    HostEntry host = {std::move(entry), {}};
    if (host.entry.link_target.empty()) {
      UniqueFd tree = CloneTree(AT_FDCWD, "/" + host.entry.name, true);
      if (!tree || !SetMountAttributes(tree.get(), kReadOnly, -1, true)) {
        return SystemError("bind /" + host.entry.name, errno);
      }
      host.mount = StagedMount(std::move(tree));
      if (!host.mount) return SystemError("stage /" + host.entry.name, errno);
    }
    host_.push_back(std::move(host));
  }
  return {};
}

}  // namespace assay::sandbox
