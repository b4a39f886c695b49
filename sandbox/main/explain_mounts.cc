#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "sandbox/launcher/cell_init.h"
#include "sandbox/main/run_command.h"
#include "sandbox/rootfs/host_files.h"

namespace assay::sandbox {
namespace {

// Flags of a mount, as /proc/PID/mountinfo has them, but for access times.
struct Flags {
  bool read_only = false;
  bool nosuid = true;
  bool nodev = true;
  bool noexec = false;

  std::string Words() const {
    std::string words = read_only ? "ro" : "rw";
    if (nosuid) words += ",nosuid";
    if (nodev) words += ",nodev";
    if (noexec) words += ",noexec";
    return words;
  }
};

// With what the mount of this machine has already, which a copy of it keeps.
Flags Kept(const std::string& path, Flags flags) {
  struct statvfs info;
  if (::statvfs(path.c_str(), &info) != 0) return flags;
  const auto has = [&info](unsigned long flag) {
    return (info.f_flag & flag) != 0;
  };
  flags.read_only = flags.read_only || has(ST_RDONLY);
  flags.nosuid = flags.nosuid || has(ST_NOSUID);
  flags.nodev = flags.nodev || has(ST_NODEV);
  flags.noexec = flags.noexec || has(ST_NOEXEC);
  return flags;
}

// What is mounted below a folder of this machine.
std::set<std::string> MountsBelow(const std::string& path) {
  std::set<std::string> below;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string skipped, point;
    words >> skipped >> skipped >> skipped >> skipped >> point;
    if (point.starts_with(path + "/")) below.insert(point);
  }
  return below;
}

class Mounts {
 public:
  explicit Mounts(const CellSpec& cell) : cell_(cell) {}

  std::string Text(const std::string& image) {
    if (!image.empty()) {
      Overlay("the image " + image);
    } else if (const auto* root = std::get_if<DirectoryRoot>(&cell_.root)) {
      Overlay(root->path);
    } else {
      HostRootMounts();
    }
    Always();
    for (const auto& mount : cell_.mounts) {
      std::visit([this](const auto& m) { Given(m); }, mount);
    }
    if (!links_.empty()) out_ << "links\n " << links_ << "\n";
    return std::move(out_).str();
  }

 private:
  void Line(const std::string& target, const Flags& flags,
            const std::string& what) {
    out_ << "  " << target << "  " << flags.Words() << "  " << what << "\n";
  }

  // A copy of this machine's, with all that is mounted below it.
  void Copy(const std::string& source, const std::string& target,
            const Flags& flags, const std::string& what, bool whole) {
    Line(target, Kept(source, flags), what);
    if (!whole) return;
    for (const auto& below : MountsBelow(source)) {
      Line(target + below.substr(source.size()), Kept(below, flags), what);
    }
  }

  std::string Room() const {
    const auto amount = [](std::int64_t n) {
      return n > 0 ? std::to_string(n) : std::string("unlimited");
    };
    return amount(cell_.limits.scratch_bytes) + " bytes and " +
           amount(cell_.limits.scratch_inodes) + " inodes";
  }

  void Overlay(const std::string& lower) {
    Line("/", {},
         "overlay over " + lower +
             "; what is written shares the room "
             "of /tmp");
  }

  void HostRootMounts() {
    constexpr Flags kReadOnly = {.read_only = true};
    Line("/", kReadOnly, "tmpfs with folders and links");
    const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const auto& entry : HostTopEntries(root.get())) {
      const std::string path = "/" + entry.name;
      if (!entry.link_target.empty()) {
        links_ += " " + path;
      } else {
        Copy(path, path, kReadOnly, "this machine's", true);
      }
    }
    Line("/etc", kReadOnly,
         "tmpfs with accounts of our own and copies of this "
         "machine's files");
    for (const auto& name : MountedEtc()) {
      Copy("/etc/" + name, "/etc/" + name, kReadOnly, "this machine's", true);
    }
  }

  void Always() {
    constexpr Flags kDev = {.read_only = true, .nodev = false, .noexec = true};
    // Who may not make devices shows those of this machine.
    const bool mounted = ::geteuid() != 0;
    const Flags null =
        mounted ? Kept("/dev/null", {.nosuid = false, .nodev = false}) : kDev;
    std::string names;
    for (const auto& device : kCellDevices) {
      names += std::string(names.empty() ? "" : " ") + device.name;
    }
    Line("/dev", kDev, "tmpfs with " + names);
    for (const auto& device : kCellDevices) {
      if (!mounted) break;
      const std::string path = std::string("/dev/") + device.name;
      Copy(path, path, {.nosuid = false, .nodev = false}, "this machine's",
           false);
    }
    Line("/tmp", {}, "empty; with /dev/shm " + Room());
    Line("/dev/shm", {}, "empty; with /tmp " + Room());
    Line("/proc", {.noexec = true},
         "of the cell, other users' processes hidden");
    for (const char* name : kMaskedProcFiles) {
      const std::string path = std::string("/proc/") + name;
      if (::access(path.c_str(), F_OK) == 0) Line(path, null, "empty");
    }
  }

  void Given(const VolumeMount& mount) {
    Line(mount.target, {.read_only = mount.read_only},
         "volume " + std::to_string(mount.volume));
  }
  void Given(const BindMount& mount) {
    Copy(mount.source.path, mount.target, {.read_only = !mount.writable},
         mount.source.path + ", owned by the cell's user", ::geteuid() != 0);
  }
  void Given(const OverlayMount& mount) {
    Line(mount.target, {}, "overlay over " + mount.lower.path);
  }
  void Given(const TmpfsMount& mount) {
    Line(mount.target, {},
         "tmpfs of " + std::to_string(mount.bytes) + " bytes and " +
             std::to_string(mount.inodes) + " inodes");
  }

  const CellSpec& cell_;
  std::ostringstream out_;
  // Of the root, to places within.
  std::string links_;
};

}  // namespace

std::string ExplainMounts(const RunOptions& options) {
  const std::string image =
      options.image ? options.image->layout + " " + options.image->tag : "";
  return "mounts\n" + Mounts(options.cell).Text(image);
}

}  // namespace assay::sandbox
