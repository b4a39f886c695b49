#include "sandbox/hostcheck/host_check.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "sandbox/cell/launcher.h"
#include "sandbox/launcher/cgroup_tree.h"
#include "sandbox/policy/write_fence.h"

namespace assay::sandbox {
namespace {

// The first line of a file; empty if it cannot be read.
std::string Line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string Whole(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

// The chosen word of a file like "always [madvise] never".
std::string Chosen(const std::string& line) {
  const auto open = line.find('[');
  const auto close = line.find(']');
  if (open == std::string::npos || close == std::string::npos) return line;
  return line.substr(open + 1, close - open - 1);
}

Finding Kernel() {
  utsname name = {};
  ::uname(&name);
  int major = 0;
  int minor = 0;
  std::sscanf(name.release, "%d.%d", &major, &minor);
  const std::string found = name.release;
  // cgroup.kill came with 5.14, overlays over mapped mounts with 5.19.
  if (std::pair(major, minor) < std::pair(5, 14)) {
    return {Standing::kMissing, "kernel", found,
            "cells need Linux 5.14 or newer"};
  }
  if (std::pair(major, minor) < std::pair(5, 19)) {
    return {Standing::kWeaker, "kernel", found,
            "overlays of the worker's directories need Linux 5.19"};
  }
  return {Standing::kOk, "kernel", found, ""};
}

Finding User() {
  if (::geteuid() == 0) return {Standing::kOk, "user", "root", ""};
  return {Standing::kWeaker, "user", "uid " + std::to_string(::geteuid()),
          "all cells run under this uid; start as root to give each its own"};
}

Finding UserNamespaces() {
  const std::string most = Line("/proc/sys/user/max_user_namespaces");
  if (most.empty() || most == "0") {
    return {Standing::kMissing, "user namespaces", "none allowed",
            "sysctl user.max_user_namespaces=10000"};
  }
  if (::geteuid() == 0) {
    return {Standing::kOk, "user namespaces", "up to " + most, ""};
  }
  if (Line("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
    return {Standing::kMissing, "user namespaces", "for root only",
            "sysctl kernel.unprivileged_userns_clone=1, or start as root"};
  }
  if (Line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
    return {Standing::kMissing, "user namespaces", "restricted by AppArmor",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0, a profile "
            "for this program, or start as root"};
  }
  return {Standing::kOk, "user namespaces", "up to " + most, ""};
}

Finding FileSystem(const std::string& type) {
  // A module may still be loaded on first use, so absence is only a hint.
  const bool there =
      Whole("/proc/filesystems").find("\t" + type + "\n") != std::string::npos;
  if (there) return {Standing::kOk, type, "available", ""};
  return {Standing::kWeaker, type, "not loaded",
          "modprobe " + type + " if mounts of it fail"};
}

Finding Seccomp() {
  const std::string actions = Line("/proc/sys/kernel/seccomp/actions_avail");
  if (actions.find("errno") == std::string::npos) {
    return {Standing::kMissing, "seccomp", "no filters",
            "a kernel with CONFIG_SECCOMP_FILTER"};
  }
  return {Standing::kOk, "seccomp", actions, ""};
}

Finding WriteFence() {
  if (HasWriteFence()) {
    return {Standing::kOk, "landlock", "second fence around files", ""};
  }
  return {Standing::kWeaker, "landlock", "none",
          "read-only mounts stand alone; a kernel from 5.19 on with "
          "CONFIG_SECURITY_LANDLOCK and lsm=landlock,..."};
}

Finding CgroupVersion() {
  const std::string mounts = Whole("/proc/self/mountinfo");
  const bool old = mounts.find(" - cgroup ") != std::string::npos;
  const bool unified = mounts.find(" - cgroup2 ") != std::string::npos;
  constexpr const char* kName = "cgroup version";
  if (unified && !old) return {Standing::kOk, kName, "v2", ""};
  if (unified) {
    return {Standing::kOk, kName, "hybrid: v1 for limits, v2 for killing", ""};
  }
  return {Standing::kWeaker, kName, old ? "v1 alone" : "none is mounted",
          "cells are killed less quickly; mount -t cgroup2 none "
          "/sys/fs/cgroup/unified, or boot with "
          "systemd.unified_cgroup_hierarchy=1"};
}

Finding ControllerFinding(const CgroupTree& tree, Controller controller,
                          const std::string& name, Weakness weakness) {
  const std::string title = "cgroup " + name;
  if (tree.UnifiedHas(controller)) return {Standing::kOk, title, "v2", ""};
  if (tree.Legacy(controller) >= 0) return {Standing::kOk, title, "v1", ""};
  return {Standing::kWeaker, title, "none that we may use",
          DescribeWeaknesses(static_cast<std::uint32_t>(weakness))[0] +
              "; start as root, or under systemd-run --user --scope -p "
              "Delegate=yes on a host with cgroup v2"};
}

// Not asked of the tree: to try means to hand the controller down.
Finding DiskRate() {
  const bool there =
      Line("/sys/fs/cgroup/cgroup.controllers").find("io") != std::string::npos;
  if (there) return {Standing::kOk, "cgroup io", "v2", ""};
  return {Standing::kWeaker, "cgroup io", "not in a v2 hierarchy",
          "--io-rate is refused; boot with "
          "systemd.unified_cgroup_hierarchy=1"};
}

Finding Delegation(const CgroupTree& tree) {
  if (tree.unified() >= 0) {
    return {Standing::kOk, "cgroup delegation", "a v2 cgroup that is ours", ""};
  }
  return {Standing::kWeaker, "cgroup delegation", "no v2 cgroup that is ours",
          "killing goes through the pid namespace, CPU time is counted per "
          "process, cells cannot be frozen; start as root, or under "
          "systemd-run --user --scope -p Delegate=yes"};
}

Finding TimerPriority() {
  const sched_param priority = {.sched_priority = 1};
  const bool allowed =
      ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) == 0;
  const sched_param ordinary = {};
  ::sched_setscheduler(0, SCHED_OTHER, &ordinary);
  if (allowed) return {Standing::kOk, "timer priority", "real-time", ""};
  return {Standing::kWeaker, "timer priority", "ordinary",
          "limits fire late on a busy machine; start as root or raise "
          "RLIMIT_RTPRIO"};
}

Finding ClockSource() {
  const std::string source =
      Line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  const bool fast =
      source == "tsc" || source == "kvm-clock" || source.starts_with("arch_");
  if (fast || source.empty()) {
    return {Standing::kOk, "clock", source.empty() ? "unknown" : source, ""};
  }
  return {Standing::kNoisy, "clock", source,
          "reading it is slow; boot with clocksource=tsc if the processor has "
          "a stable one"};
}

Finding Frequency() {
  const std::string governor =
      Line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (governor.empty() || governor == "performance") {
    return {Standing::kOk, "frequency scaling",
            governor.empty() ? "none to be seen" : governor, ""};
  }
  return {Standing::kNoisy, "frequency scaling", governor,
          "CPU times vary; cpupower frequency-set -g performance"};
}

Finding Swap() {
  std::istringstream swaps(Whole("/proc/swaps"));
  std::string line;
  std::getline(swaps, line);
  if (!std::getline(swaps, line)) return {Standing::kOk, "swap", "none", ""};
  return {Standing::kNoisy, "swap", line.substr(0, line.find(' ')),
          "memory use and times vary; swapoff -a"};
}

Finding HugePages() {
  const std::string choice =
      Chosen(Line("/sys/kernel/mm/transparent_hugepage/enabled"));
  if (choice != "always") {
    return {Standing::kOk, "transparent huge pages",
            choice.empty() ? "none" : choice, ""};
  }
  return {Standing::kNoisy, "transparent huge pages", choice,
          "memory counts vary; echo madvise > "
          "/sys/kernel/mm/transparent_hugepage/enabled"};
}

Finding AddressRandomisation() {
  const std::string level = Line("/proc/sys/kernel/randomize_va_space");
  if (level == "0") {
    return {Standing::kOk, "address randomisation", "off", ""};
  }
  return {Standing::kNoisy, "address randomisation", "on",
          "times vary by a few percent from run to run; leave it on unless "
          "you measure (sysctl kernel.randomize_va_space=0)"};
}

}  // namespace

const char* StandingName(Standing standing) {
  switch (standing) {
    case Standing::kOk:
      return "ok";
    case Standing::kNoisy:
      return "noisy";
    case Standing::kWeaker:
      return "weaker";
    case Standing::kMissing:
      return "missing";
  }
  return "?";
}

std::vector<Finding> CheckHost() {
  const CgroupTree tree = CgroupTree::Probe({});
  return {
      Kernel(),
      User(),
      UserNamespaces(),
      Seccomp(),
      WriteFence(),
      FileSystem("tmpfs"),
      FileSystem("overlay"),
      CgroupVersion(),
      ControllerFinding(tree, Controller::kMemory, "memory", Weakness::kMemory),
      ControllerFinding(tree, Controller::kPids, "pids", Weakness::kPids),
      ControllerFinding(tree, Controller::kCpu, "cpu", Weakness::kCores),
      DiskRate(),
      Delegation(tree),
      TimerPriority(),
      ClockSource(),
      Frequency(),
      Swap(),
      HugePages(),
      AddressRandomisation(),
  };
}

}  // namespace assay::sandbox
