#include "sandbox/rootfs/root_builder.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sandbox/policy/defence.h"
#include "sandbox/rootfs/host_files.h"
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
  Builder(Staging& staging, const CellSpec& spec, const CellOwner& owner,
          std::span<const StagedMount> volumes, std::span<const UniqueFd> fds)
      : staging_(staging),
        spec_(spec),
        owner_(owner),
        volumes_(volumes),
        fds_(fds) {}

  Built<UniqueFd> Build() {
    auto base =
        std::visit([this](const auto& r) { return Make(r); }, spec_.root);
    if (!base) return std::unexpected(base.error());
    for (const auto& mount : spec_.mounts) {
      auto step = std::visit([this](const auto& m) { return Add(m); }, mount);
      if (!step) return std::unexpected(step.error());
    }
    if (std::holds_alternative<HostRoot>(spec_.root) &&
        Stands(Defence::kReadOnlyRoot) &&
        !SetMountAttributes(root_.fd(), MOUNT_ATTR_RDONLY, -1, false)) {
      return Fault(SetupStep::kMount, "make / read-only");
    }
    UniqueFd tree = std::move(root_).TakeTree();
    if (!tree) return Fault(SetupStep::kMount, "detach the root");
    return tree;
  }

 private:
  // Scratch space and what else the root itself needs.
  TmpfsOptions ScratchOptions() const {
    const auto& limits = spec_.limits;
    return {.bytes = kSkeletonBytes +
                     (limits.scratch_bytes > 0 && Stands(Defence::kScratchBytes)
                          ? limits.scratch_bytes
                          : kUnlimited),
            .inodes = kSkeletonInodes + (limits.scratch_inodes > 0 &&
                                                 Stands(Defence::kScratchInodes)
                                             ? limits.scratch_inodes
                                             : kUnlimited)};
  }

  // The root's own tmpfs also holds /tmp and /dev/shm, as writable mounts of
  // two of its directories: one size limit, one file system.
  Step Make(const HostRoot&) {
    root_ = StagedMount(NewTmpfs(ScratchOptions()));
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
    UniqueFd tmp = CloneScratch(root_.fd(), "tmp");
    if (!tmp || !AttachTree(tmp.get(), root_.fd(), "tmp")) {
      return Fault(SetupStep::kMount, "/tmp");
    }
    for (auto& host : staging_.host()) {
      UniqueFd tree;
      if (host.mount) tree = staging_.TreeOf(host.mount);
      if (auto step = AddTop(host.entry, std::move(tree)); !step) return step;
    }
    const TopEntry etc = {.name = "etc"};
    if (auto step = AddTop(etc, staging_.TreeOf(staging_.etc())); !step) {
      return step;
    }
    return AddDev(CloneScratch(root_.fd(), "dev/shm"));
  }

  // The directory with a layer of the cell's own above it. That layer lies in
  // the same tmpfs as /tmp and /dev/shm, so that one limit holds for all that
  // the cell writes.
  Step Make(const DirectoryRoot& base) {
    const StagedMount scratch(NewTmpfs(ScratchOptions()));
    if (!scratch) return Fault(SetupStep::kMount, "tmpfs for the root");
    UniqueFd directory(
        ::open(base.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return Fault(SetupStep::kSource, "root " + base.path);
    UniqueFd tree =
        OverlayOn(CloneTree(directory.get(), "", staging_.in_user_namespace()),
                  scratch.fd());
    if (!tree) return Fault(SetupStep::kOverlay, "root " + base.path);
    root_ = StagedMount(std::move(tree));
    if (!root_) return Fault(SetupStep::kMount, "stage the root");
    // A link in one of these places would lead the mount elsewhere, and is
    // refused by MakeMountPoint.
    for (const char* name : {"/proc", "/dev", "/tmp"}) {
      if (!MakeMountPoint(root_.fd(), name, false)) {
        return Fault(SetupStep::kMount, std::string(name) + " of the root");
      }
    }
    if (::mkdirat(scratch.fd(), "tmp", 0755) != 0 ||
        ::mkdirat(scratch.fd(), "shm", 0755) != 0) {
      return Fault(SetupStep::kMount, "scratch of the root");
    }
    UniqueFd tmp = CloneScratch(scratch.fd(), "tmp");
    if (!tmp || !AttachTree(tmp.get(), root_.fd(), "tmp")) {
      return Fault(SetupStep::kMount, "/tmp");
    }
    if (!ProvideHosts(root_.fd())) {
      return Fault(SetupStep::kMount, "/etc/hosts of the root");
    }
    return AddDev(CloneScratch(scratch.fd(), "shm"));
  }

  Step AddDev(UniqueFd shared_memory) {
    UniqueFd dev = staging_.TreeOf(staging_.dev());
    if (!shared_memory || !dev || !AttachTree(dev.get(), root_.fd(), "dev") ||
        !AttachTree(shared_memory.get(), root_.fd(), "dev/shm")) {
      return Fault(SetupStep::kDev, "/dev");
    }
    return {};
  }

  static UniqueFd CloneScratch(int tmpfs, const char* name) {
    // World-writable and sticky, as everywhere; the cell has one user anyway.
    if (::fchmodat(tmpfs, name, 01777, 0) != 0) return UniqueFd();
    return CloneTree(tmpfs, name, false);
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
    // Nobody but us has made anything in this root yet.
    const bool made =
        entry.directory
            ? ::mkdirat(root_.fd(), name, 0755) == 0 || errno == EEXIST
            : static_cast<bool>(
                  MakeMountPoint(root_.fd(), "/" + entry.name, true));
    if (!tree || !made || !AttachTree(tree.get(), root_.fd(), entry.name)) {
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
        kSafe |
        (!mount.writable && Stands(Defence::kReadOnlyMounts) ? MOUNT_ATTR_RDONLY
                                                             : 0);
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
    if (!source) return Fault(SetupStep::kSource, name);
    const StagedMount writable(
        NewTmpfs({.bytes = mount.bytes, .inodes = mount.inodes, .mode = 0700}));
    UniqueFd tree;
    if (writable) tree = OverlayOn(std::move(source), writable.fd());
    if (!tree) return Fault(SetupStep::kOverlay, name);
    return Place(std::move(tree), mount.target);
  }

  // What is written above `source` lies in two directories of `writable`.
  UniqueFd OverlayOn(UniqueFd source, int writable) {
    struct stat info;
    if (!source || ::fstat(source.get(), &info) != 0 ||
        !Protect(source.get(), kSafe | MOUNT_ATTR_RDONLY)) {
      return UniqueFd();
    }
    // The overlay keeps copies of both; they need to stand only until then.
    const StagedMount lower(std::move(source));
    // The merged root takes its owner and mode from the upper directory.
    if (!lower || ::mkdirat(writable, "work", 0700) != 0 ||
        ::mkdirat(writable, "upper", 0700) != 0 ||
        ::fchmodat(writable, "upper", info.st_mode & 07777, 0) != 0 ||
        ::fchownat(writable, "upper", owner_.uid, owner_.uid, 0) != 0) {
      return UniqueFd();
    }
    UniqueFd upper(
        ::openat(writable, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC));
    UniqueFd work(::openat(writable, "work", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return NewOverlay(lower.fd(), upper.get(), work.get(),
                      staging_.in_user_namespace());
  }

  std::string Name(const HostSource& source) const {
    return source.fd < 0 ? source.path : "a descriptor of the session";
  }

  Staging& staging_;
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

Built<UniqueFd> BuildRoot(Staging& staging, const CellSpec& spec,
                          const CellOwner& owner,
                          std::span<const StagedMount> volumes,
                          std::span<const UniqueFd> fds) {
  return Builder(staging, spec, owner, volumes, fds).Build();
}

}  // namespace assay::sandbox
