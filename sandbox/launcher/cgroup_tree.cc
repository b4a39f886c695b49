#include "sandbox/launcher/cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/cell/launcher.h"
#include "sandbox/launcher/cgroup_files.h"

namespace assay::sandbox {
namespace {

constexpr std::array<const char*, kControllers> kNames = {"memory", "pids",
                                                          "cpu"};
constexpr std::string_view kPrefix = "assay-";
constexpr const char* kSupervisor = "supervisor";

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

// The directory of our own cgroup in each hierarchy, by controller; the
// unified one under "".
std::map<std::string, std::string> GivenCgroups() {
  // From /proc/self/cgroup: "4:memory:/a/b", "0::/".
  std::map<std::string, std::string> paths;
  std::ifstream own("/proc/self/cgroup");
  for (std::string line; std::getline(own, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string path = line.substr(second + 1);
    const std::string names = line.substr(first + 1, second - first - 1);
    if (names.empty()) paths[""] = path;
    for (const auto& name : Split(names, ',')) paths[name] = path;
  }
  // From mountinfo: "... <root> <mount point> ... - cgroup <src> rw,memory".
  std::map<std::string, std::string> given;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const auto separator = line.find(" - cgroup");
    if (separator == std::string::npos) continue;
    std::istringstream fields(line);
    std::string skip, root, point;
    fields >> skip >> skip >> skip >> root >> point;
    std::istringstream tail(line.substr(separator + 3));
    std::string type, source, options;
    tail >> type >> source >> options;
    std::vector<std::string> names = Split(options, ',');
    if (type == "cgroup2") names = {""};
    for (const auto& name : names) {
      const auto path = paths.find(name);
      if (path == paths.end() || given.contains(name)) continue;
      std::string below = path->second;
      if (root != "/" && below.starts_with(root)) below.erase(0, root.size());
      given[name] = point + (below == "/" ? "" : below);
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

// Directories of launchers that did not live to remove theirs.
void RemoveStale(int given) {
  UniqueFd copy(::openat(given, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* list = copy ? ::fdopendir(copy.get()) : nullptr;
  if (list == nullptr) return;
  (void)copy.Release();
  while (const dirent* item = ::readdir(list)) {
    if (item->d_type != DT_DIR ||
        !std::string_view(item->d_name).starts_with(kPrefix)) {
      continue;
    }
    UniqueFd base(
        ::openat(given, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!base || ::flock(base.get(), LOCK_EX | LOCK_NB) != 0) continue;
    RemoveCells(base.get());
    ::unlinkat(given, item->d_name, AT_REMOVEDIR);
  }
  ::closedir(list);
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
    std::istringstream pids(ReadSmallFile(given, "cgroup.procs"));
    for (std::string pid; std::getline(pids, pid);) {
      WriteSmallFile(below.get(), "cgroup.procs", pid);
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

CgroupTree::Base CgroupTree::Open(const std::string& given_path,
                                  const std::string& name) {
  Base base;
  base.given.Reset(
      ::open(given_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!base.given) return {};
  RemoveStale(base.given.get());
  base.base = MakeDirectory(base.given.get(), name.c_str());
  if (!base.base) return {};
  ::flock(base.base.get(), LOCK_EX | LOCK_NB);
  return base;
}

CgroupTree CgroupTree::Probe() {
  CgroupTree tree;
  tree.name_ = std::string(kPrefix) + std::to_string(::getpid());
  const auto given = GivenCgroups();
  if (const auto unified = given.find(""); unified != given.end()) {
    tree.unified_ = Open(AboveSupervisor(unified->second), tree.name_);
    // Without these it is of no use to us: a kernel before 5.14, or a
    // directory in which we may create but not write.
    if (tree.unified() >= 0 &&
        ::faccessat(tree.unified(), "cgroup.kill", W_OK, AT_EACCESS) != 0) {
      tree.unified_.base.Reset();
    }
  }
  for (std::size_t i = 0; i < kControllers; ++i) {
    const std::string enable = std::string("+") + kNames[i];
    if (tree.unified() >= 0 &&
        EnableInChildren(tree.unified_.given.get(), enable) &&
        WriteSmallFile(tree.unified(), "cgroup.subtree_control", enable)) {
      tree.unified_has_[i] = true;
      continue;
    }
    const auto legacy = given.find(kNames[i]);
    if (legacy == given.end()) continue;
    tree.legacy_[i] = Open(legacy->second, tree.name_);
    if (tree.legacy_[i].base && ::faccessat(tree.legacy_[i].base.get(), "tasks",
                                            W_OK, AT_EACCESS) != 0) {
      tree.legacy_[i].base.Reset();
    }
  }
  return tree;
}

CgroupTree::CgroupTree(CgroupTree&&) noexcept = default;

CgroupTree::~CgroupTree() {
  if (unified_.base) {
    ::unlinkat(unified_.given.get(), name_.c_str(), AT_REMOVEDIR);
  }
  for (const auto& legacy : legacy_) {
    if (!legacy.base) continue;
    ::unlinkat(legacy.given.get(), name_.c_str(), AT_REMOVEDIR);
  }
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
