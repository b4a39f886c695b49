#include "sandbox/launcher/cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "sandbox/cell/launcher.h"
#include "sandbox/launcher/cgroup_files.h"

namespace assay::sandbox {
namespace {

// That of v1 which resembles "io" has another name, and is left alone: it does
// not see what is written later than it was said.
constexpr std::array<const char*, kControllers> kNames = {"memory", "pids",
                                                          "cpu", "io"};
constexpr std::string_view kPrefix = "assay-";
constexpr const char* kSupervisor = "supervisor";

// Not by streams: their locales would take longer to set up than all of this.
std::string ReadAll(const char* path) {
  std::string content;
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  char buffer[8192];
  ssize_t n = 0;
  while (fd && (n = ::read(fd.get(), buffer, sizeof(buffer))) > 0) {
    content.append(buffer, static_cast<std::size_t>(n));
  }
  return content;
}

// What comes before the next `separator`, which is taken away with it.
std::string_view Next(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// The directory of our own cgroup in each hierarchy, by controller; the
// unified one under "".
std::map<std::string, std::string, std::less<>> GivenCgroups() {
  // From /proc/self/cgroup: "4:memory:/a/b", "0::/".
  const std::string own = ReadAll("/proc/self/cgroup");
  std::map<std::string_view, std::string_view> paths;
  for (std::string_view rest = own; !rest.empty();) {
    std::string_view line = Next(rest, '\n');
    Next(line, ':');
    std::string_view names = Next(line, ':');
    if (names.empty()) paths[""] = line;
    while (!names.empty()) paths[Next(names, ',')] = line;
  }
  // From mountinfo: "... <root> <mount point> ... - cgroup <src> rw,memory".
  const std::string mounts = ReadAll("/proc/self/mountinfo");
  std::map<std::string, std::string, std::less<>> given;
  const auto add = [&](std::string_view name, std::string_view root,
                       std::string_view point) {
    const auto path = paths.find(name);
    if (path == paths.end() || given.contains(name)) return;
    std::string_view below = path->second;
    if (root != "/" && below.starts_with(root)) {
      below.remove_prefix(root.size());
    }
    if (below == "/") below = {};
    given.emplace(name, std::string(point) + std::string(below));
  };
  for (std::string_view rest = mounts; !rest.empty();) {
    std::string_view line = Next(rest, '\n');
    constexpr std::string_view kSeparator = " - ";
    const auto separator = line.find(" - cgroup");
    if (separator == std::string_view::npos) continue;
    std::string_view tail = line.substr(separator + kSeparator.size());
    for (int skip = 0; skip < 3; ++skip) Next(line, ' ');
    const std::string_view root = Next(line, ' ');
    const std::string_view point = Next(line, ' ');
    const std::string_view type = Next(tail, ' ');
    Next(tail, ' ');
    if (type == "cgroup2") {
      add("", root, point);
    } else {
      while (!tail.empty()) add(Next(tail, ','), root, point);
    }
  }
  return given;
}

void RemoveCells(int base) {
  WriteSmallFile(base, "cgroup.kill", "1");
  UniqueFd copy(::openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* list = copy ? ::fdopendir(copy.get()) : nullptr;
  if (list == nullptr) return;
  (void)copy.Release();
  while (const dirent* item = ::readdir(list)) {
    if (item->d_type != DT_DIR || item->d_name[0] == '.') continue;
    UniqueFd below(
        ::openat(base, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (below) RemoveCells(below.get());
    ::unlinkat(base, item->d_name, AT_REMOVEDIR);
  }
  ::closedir(list);
}

// Whether a line of words has this one.
bool HasWord(std::string_view line, std::string_view word) {
  while (!line.empty()) {
    std::string_view one = Next(line, ' ');
    if (one.ends_with('\n')) one.remove_suffix(1);
    if (one == word) return true;
  }
  return false;
}

// Whether `directory` still is what `name` leads to.
bool IsNamed(int parent, const char* name, int directory) {
  struct stat named = {};
  struct stat held = {};
  return ::fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstat(directory, &held) == 0 && named.st_dev == held.st_dev &&
         named.st_ino == held.st_ino;
}

// Whether nobody else has it, and nobody can remove it from now on: who does
// locks it first.
bool Claim(int parent, const char* name, int directory) {
  return ::flock(directory, LOCK_EX | LOCK_NB) == 0 &&
         IsNamed(parent, name, directory);
}

// Directories of launchers that did not live to remove theirs. False if there
// were none.
bool RemoveStale(int given) {
  bool found = false;
  UniqueFd copy(::openat(given, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* list = copy ? ::fdopendir(copy.get()) : nullptr;
  if (list == nullptr) return found;
  (void)copy.Release();
  while (const dirent* item = ::readdir(list)) {
    if (item->d_type != DT_DIR ||
        !std::string_view(item->d_name).starts_with(kPrefix)) {
      continue;
    }
    UniqueFd base(
        ::openat(given, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!base || !Claim(given, item->d_name, base.get())) continue;
    RemoveCells(base.get());
    ::unlinkat(given, item->d_name, AT_REMOVEDIR);
    found = true;
  }
  ::closedir(list);
  return found;
}

// Whole ones; what is in memory is limited as memory.
std::vector<std::string> Disks() {
  std::vector<std::string> disks;
  DIR* list = ::opendir("/sys/block");
  if (list == nullptr) return disks;
  while (const dirent* item = ::readdir(list)) {
    const std::string_view name = item->d_name;
    if (name.starts_with(".") || name.starts_with("ram")) continue;
    std::string number =
        ReadAll(("/sys/block/" + std::string(name) + "/dev").c_str());
    if (number.ends_with('\n')) number.pop_back();
    if (!number.empty()) disks.push_back(std::move(number));
  }
  ::closedir(list);
  return disks;
}

// v2 only distributes a resource to the children of a cgroup that has no
// processes itself, so the ones that were here before us move down by one.
bool EnableInChildren(int given, const std::string& controllers) {
  // Each round moves as many as a read returns, and what they forked meanwhile.
  constexpr int kRounds = 16;
  for (int round = 0; round < kRounds; ++round) {
    if (WriteSmallFile(given, "cgroup.subtree_control", controllers)) {
      return true;
    }
    if (errno != EBUSY) return false;
    UniqueFd below = MakeDirectory(given, kSupervisor);
    if (!below) return false;
    const std::string pids = ReadSmallFile(given, "cgroup.procs");
    for (std::string_view rest = pids; !rest.empty();) {
      WriteSmallFile(below.get(), "cgroup.procs", Next(rest, '\n'));
    }
  }
  return false;
}

// An earlier launcher has moved whoever started us down by one: the cgroup that
// was given is the one above, or they would move down once more each time.
std::string AboveSupervisor(const std::string& path) {
  const std::string end = std::string("/") + kSupervisor;
  if (!path.ends_with(end)) return path;
  const std::string above = path.substr(0, path.size() - end.size());
  const std::string control = above + "/cgroup.subtree_control";
  return ::faccessat(AT_FDCWD, control.c_str(), W_OK, AT_EACCESS) == 0 ? above
                                                                       : path;
}

}  // namespace

CgroupTree::Base CgroupTree::Open(const std::string& given_path) {
  Base base;
  base.given.Reset(
      ::open(given_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!base.given) return {};
  // Whoever runs one cell has no time to list every hierarchy when there was
  // nothing in the first.
  if (!use_.single_cell || unified() < 0 || found_stale_) {
    found_stale_ = RemoveStale(base.given.get()) || found_stale_;
  }
  // A launcher that starts beside us may take ours for one that was left,
  // before we have locked it, and another one may be called like us in a
  // process namespace of its own.
  constexpr int kMostNames = 100;
  for (int i = 0; i < kMostNames; ++i) {
    base.name = std::string(kPrefix) + std::to_string(::getpid());
    if (i > 0) base.name += "-" + std::to_string(i);
    base.base = MakeDirectory(base.given.get(), base.name.c_str());
    if (!base.base && errno != ENOENT) return {};
    if (base.base &&
        Claim(base.given.get(), base.name.c_str(), base.base.get()))
      return base;
  }
  return {};
}

CgroupTree CgroupTree::Probe(const Use& use) {
  CgroupTree tree(use);
  const auto given = GivenCgroups();
  if (const auto unified = given.find(""); unified != given.end()) {
    tree.unified_ = tree.Open(AboveSupervisor(unified->second));
    // Without these it is of no use to us: a kernel before 5.14, or a
    // directory in which we may create but not write.
    if (tree.unified() >= 0 &&
        ::faccessat(tree.unified(), "cgroup.kill", W_OK, AT_EACCESS) != 0) {
      tree.unified_.base.Reset();
    }
  }
  const std::string offered =
      tree.unified() < 0
          ? std::string()
          : ReadSmallFile(tree.unified_.given.get(), "cgroup.controllers");
  for (std::size_t i = 0; i < kControllers; ++i) {
    const auto controller = static_cast<Controller>(i);
    if (controller == Controller::kCpu && !use.cores) continue;
    if (controller == Controller::kIo && !use.io) continue;
    const std::string enable = std::string("+") + kNames[i];
    // A single cell is limited by our own directory, where it lives, and
    // nothing is handed down from there.
    if (HasWord(offered, kNames[i]) &&
        EnableInChildren(tree.unified_.given.get(), enable) &&
        (use.single_cell ||
         WriteSmallFile(tree.unified(), "cgroup.subtree_control", enable))) {
      tree.unified_has_[i] = true;
      continue;
    }
    const auto legacy = given.find(kNames[i]);
    if (legacy == given.end()) continue;
    tree.legacy_[i] = tree.Open(legacy->second);
    if (tree.legacy_[i].base && ::faccessat(tree.legacy_[i].base.get(), "tasks",
                                            W_OK, AT_EACCESS) != 0) {
      tree.legacy_[i].base.Reset();
    }
  }
  if (tree.UnifiedHas(Controller::kIo)) tree.disks_ = Disks();
  return tree;
}

CgroupTree::CgroupTree(CgroupTree&&) noexcept = default;

CgroupTree::~CgroupTree() { Remove(); }

bool CgroupTree::Remove() const {
  bool gone = true;
  const auto remove = [&](const Base& own) {
    if (own.base &&
        ::unlinkat(own.given.get(), own.name.c_str(), AT_REMOVEDIR) != 0 &&
        errno != ENOENT) {
      gone = false;
    }
  };
  remove(unified_);
  for (const auto& legacy : legacy_) remove(legacy);
  return gone;
}

std::uint32_t CgroupTree::weaker() const {
  std::uint32_t bits = 0;
  const auto add = [&bits](Weakness w) {
    bits |= static_cast<std::uint32_t>(w);
  };
  if (!Has(Controller::kMemory)) add(Weakness::kMemory);
  if (!Has(Controller::kPids)) add(Weakness::kPids);
  if (!Has(Controller::kCpu)) add(Weakness::kCores);
  if (unified() < 0) {
    add(Weakness::kTreeKill);
    add(Weakness::kCpuTime);
    add(Weakness::kFreeze);
  }
  return bits;
}

}  // namespace assay::sandbox
