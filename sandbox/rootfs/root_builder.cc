#include "sandbox/rootfs/root_builder.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sandbox/rootfs/mount_calls.h"

namespace assay::sandbox {
namespace {

using Step = std::expected<void, BuildFault>;

std::unexpected<BuildFault> Fault(SetupStep step, std::string detail) {
  return std::unexpected(BuildFault{{step, errno}, std::move(detail)});
}

constexpr std::uint64_t kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

// Room for the directories and links of the root itself.
constexpr std::int64_t kSkeletonBytes = 256 << 10;
constexpr std::int64_t kSkeletonInodes = 256;
constexpr std::int64_t kUnlimited = std::int64_t{1} << 46;

class Builder {
 public:
  Builder(const Staging& staging, const CellSpec& spec, const CellOwner& owner,
          std::span<const StagedMount> volumes, std::span<const UniqueFd> fds)
      : staging_(staging),
        spec_(spec),
        owner_(owner),
        volumes_(volumes),
        fds_(fds) {}

  Built<UniqueFd> Build() {
    if (auto step = MakeSkeleton(); !step) {
      return std::unexpected(step.error());
    }
    for (const auto& mount : spec_.mounts) {
      auto step = std::visit([this](const auto& m) { return Add(m); }, mount);
      if (!step) return std::unexpected(step.error());
    }
    if (!SetMountAttributes(root_.fd(), MOUNT_ATTR_RDONLY, -1, false)) {
      return Fault(SetupStep::kMount, "make / read-only");
    }
    UniqueFd tree = std::move(root_).TakeTree();
    if (!tree) return Fault(SetupStep::kMount, "detach the root");
    return tree;
  }

 private:
  // The root's own tmpfs also holds /tmp and /dev/shm, as writable mounts of
  // two of its directories: one size limit, one file system.
  Step MakeSkeleton() {
    const auto& limits = spec_.limits;
    const TmpfsOptions options = {
        .bytes = kSkeletonBytes +
                 (limits.scratch_bytes > 0 ? limits.scratch_bytes : kUnlimited),
        .inodes =
            kSkeletonInodes +
            (limits.scratch_inodes > 0 ? limits.scratch_inodes : kUnlimited)};
    root_ = StagedMount(NewTmpfs(options));
    if (!root_) return Fault(SetupStep::kMount, "tmpfs for /");
    for (const char* name : {"proc", "tmp", "dev", "dev/shm", "run", "var",
                             "root", "home", "mnt", "opt", "srv"}) {
      if (::mkdirat(root_.fd(), name, 0755) != 0 && errno != EEXIST) {
        return Fault(SetupStep::kMount, std::string("create /") + name);
      }
    }
    for (const auto& [target, link] :
         {std::pair{"../tmp", "var/tmp"}, {"../run", "var/run"}}) {
      if (::symlinkat(target, root_.fd(), link) != 0 && errno != EEXIST) {
        return Fault(SetupStep::kMount, std::string("create /") + link);
      }
    }
    if (auto step = AddScratch("tmp"); !step) return step;
    auto base =
        std::visit([this](const auto& r) { return AddBase(r); }, spec_.root);
    if (!base) return base;
    UniqueFd shared_memory = CloneScratch("dev/shm");
    UniqueFd dev = CloneTree(staging_.dev().fd(), "", true);
    if (!shared_memory || !dev || !AttachTree(dev.get(), root_.fd(), "dev") ||
        !AttachTree(shared_memory.get(), root_.fd(), "dev/shm")) {
      return Fault(SetupStep::kDev, "/dev");
    }
    return {};
  }

  UniqueFd CloneScratch(const char* name) {
    // World-writable and sticky, as everywhere; the cell has one user anyway.
    if (::fchmodat(root_.fd(), name, 01777, 0) != 0) return UniqueFd();
    return CloneTree(root_.fd(), name, false);
  }

  Step AddScratch(const char* name) {
    UniqueFd tree = CloneScratch(name);
    if (!tree || !AttachTree(tree.get(), root_.fd(), name)) {
      return Fault(SetupStep::kMount, std::string("/") + name);
    }
    return {};
  }

  Step AddBase(const HostRoot&) {
    for (const auto& host : staging_.host()) {
      UniqueFd tree;
      if (host.mount) tree = CloneTree(host.mount.fd(), "", true);
      if (auto step = AddTop(host.entry, std::move(tree)); !step) return step;
    }
    const TopEntry etc = {.name = "etc"};
    return AddTop(etc, CloneTree(staging_.etc().fd(), "", true));
  }

  Step AddBase(const DirectoryRoot& base) {
    UniqueFd directory(
        ::open(base.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return Fault(SetupStep::kSource, "root " + base.path);
    auto entries = DirectoryTopEntries(directory.get());
    if (!entries) {
      return Fault(SetupStep::kSource, entries.error().message);
    }
    for (const auto& entry : *entries) {
      UniqueFd tree;
      if (entry.link_target.empty()) {
        tree = CloneTree(directory.get(), entry.name,
                         staging_.in_user_namespace());
        if (!tree || !Protect(tree.get(), kSafe | MOUNT_ATTR_RDONLY)) {
          return Fault(SetupStep::kMount, base.path + "/" + entry.name);
        }
      }
      if (auto step = AddTop(entry, std::move(tree)); !step) return step;
    }
    return {};
  }

  Step AddTop(const TopEntry& entry, UniqueFd tree) {
    const char* name = entry.name.c_str();
    if (!entry.link_target.empty()) {
      const char* target = entry.link_target.c_str();
      if (::symlinkat(target, root_.fd(), name) == 0) return {};
      // The skeleton has an empty folder of that name.
      if (errno == EEXIST && ::unlinkat(root_.fd(), name, AT_REMOVEDIR) == 0 &&
          ::symlinkat(target, root_.fd(), name) == 0) {
        return {};
      }
      return Fault(SetupStep::kMount, "link /" + entry.name);
    }
    UniqueFd place =
        MakeMountPoint(root_.fd(), "/" + entry.name, !entry.directory);
    if (!tree || !place || !AttachTree(tree.get(), place.get(), "")) {
      return Fault(SetupStep::kMount, "/" + entry.name);
    }
    return {};
  }

  bool Protect(int tree, std::uint64_t attributes) {
    return SetMountAttributes(tree, attributes, owner_.id_map,
                              staging_.in_user_namespace());
  }

  // A copy of what the worker named. A descriptor belongs to the worker's
  // mount namespace, so it is found again by its path in ours.
  UniqueFd CloneSource(const HostSource& source) {
    // With everything below in a user namespace, where the kernel does not
    // let a part be shown that something covered.
    const bool recursive = staging_.in_user_namespace();
    if (source.fd < 0) return CloneTree(AT_FDCWD, source.path, recursive);
    const int given = fds_[static_cast<std::size_t>(source.fd)].get();
    char path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + std::to_string(given);
    const ssize_t length = ::readlink(link.c_str(), path, sizeof(path) - 1);
    if (length <= 0) return UniqueFd();
    path[length] = '\0';
    UniqueFd found(::open(path, O_PATH | O_CLOEXEC));
    struct stat wanted, got;
    if (!found || ::fstat(given, &wanted) != 0 ||
        ::fstat(found.get(), &got) != 0) {
      return UniqueFd();
    }
    if (wanted.st_dev != got.st_dev || wanted.st_ino != got.st_ino) {
      errno = ESTALE;
      return UniqueFd();
    }
    return CloneTree(found.get(), "", recursive);
  }

  Step Place(UniqueFd tree, const std::string& target) {
    struct stat info;
    if (!tree || ::fstat(tree.get(), &info) != 0) {
      return Fault(SetupStep::kMount, target);
    }
    UniqueFd place = MakeMountPoint(root_.fd(), target, !S_ISDIR(info.st_mode));
    if (!place || !AttachTree(tree.get(), place.get(), "")) {
      return Fault(SetupStep::kMount, target);
    }
    return {};
  }

  Step Add(const VolumeMount& mount) {
    UniqueFd tree = CloneTree(volumes_[mount.volume].fd(), "", false);
    if (tree && mount.read_only &&
        !SetMountAttributes(tree.get(), MOUNT_ATTR_RDONLY, -1, false)) {
      return Fault(SetupStep::kMount, mount.target);
    }
    return Place(std::move(tree), mount.target);
  }

  Step Add(const BindMount& mount) {
    UniqueFd tree = CloneSource(mount.source);
    if (!tree) return Fault(SetupStep::kSource, Name(mount.source));
    const std::uint64_t attributes =
        kSafe | (mount.read_only ? MOUNT_ATTR_RDONLY : 0);
    if (!Protect(tree.get(), attributes)) {
      return Fault(SetupStep::kMount, "map the owner of " + Name(mount.source));
    }
    return Place(std::move(tree), mount.target);
  }

  Step Add(const TmpfsMount& mount) {
    return Place(NewTmpfs({.bytes = mount.bytes,
                           .inodes = mount.inodes,
                           .owner = owner_.uid}),
                 mount.target);
  }

  Step Add(const OverlayMount& mount) {
    const std::string name = Name(mount.lower);
    UniqueFd source = CloneSource(mount.lower);
    struct stat info;
    if (!source || ::fstat(source.get(), &info) != 0) {
      return Fault(SetupStep::kSource, name);
    }
    if (!Protect(source.get(), kSafe | MOUNT_ATTR_RDONLY)) {
      return Fault(SetupStep::kMount, "map the owner of " + name);
    }
    // The overlay keeps copies of both; they need to stand only until then.
    const StagedMount lower(std::move(source));
    const StagedMount writable(
        NewTmpfs({.bytes = mount.bytes, .inodes = mount.inodes, .mode = 0700}));
    if (!lower || !writable) return Fault(SetupStep::kOverlay, name);
    // The merged root takes its owner and mode from the upper directory.
    if (::mkdirat(writable.fd(), "work", 0700) != 0 ||
        ::mkdirat(writable.fd(), "upper", 0700) != 0 ||
        ::fchmodat(writable.fd(), "upper", info.st_mode & 07777, 0) != 0 ||
        ::fchownat(writable.fd(), "upper", owner_.uid, owner_.uid, 0) != 0) {
      return Fault(SetupStep::kOverlay, name);
    }
    UniqueFd upper(
        ::openat(writable.fd(), "upper", O_PATH | O_DIRECTORY | O_CLOEXEC));
    UniqueFd work(
        ::openat(writable.fd(), "work", O_PATH | O_DIRECTORY | O_CLOEXEC));
    UniqueFd tree = NewOverlay(lower.fd(), upper.get(), work.get(),
                               staging_.in_user_namespace());
    if (!tree) return Fault(SetupStep::kOverlay, name);
    return Place(std::move(tree), mount.target);
  }

  std::string Name(const HostSource& source) const {
    return source.fd < 0 ? source.path : "a descriptor of the session";
  }

  const Staging& staging_;
  const CellSpec& spec_;
  const CellOwner& owner_;
  std::span<const StagedMount> volumes_;
  std::span<const UniqueFd> fds_;
  StagedMount root_;
};

}  // namespace

Built<StagedMount> BuildVolume(const VolumeSpec& volume,
                               const CellOwner& owner) {
  StagedMount mount(NewTmpfs(
      {.bytes = volume.bytes, .inodes = volume.inodes, .owner = owner.uid}));
  if (!mount) return Fault(SetupStep::kVolume, "tmpfs for a volume");
  return mount;
}

Built<UniqueFd> BuildRoot(const Staging& staging, const CellSpec& spec,
                          const CellOwner& owner,
                          std::span<const StagedMount> volumes,
                          std::span<const UniqueFd> fds) {
  return Builder(staging, spec, owner, volumes, fds).Build();
}

}  // namespace assay::sandbox
