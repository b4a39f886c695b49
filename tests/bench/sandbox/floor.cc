#include "tests/bench/sandbox/floor.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "sandbox/launcher/cgroup_tree.h"
#include "sandbox/launcher/clone_child.h"
#include "sandbox/launcher/loopback.h"
#include "sandbox/policy/confinement.h"
#include "sandbox/rootfs/mount_calls.h"
#include "sandbox/rootfs/staging.h"

namespace assay::bench {
namespace {

using namespace sandbox;

std::optional<CgroupTree> tree;
std::optional<Staging> staging;

constexpr std::uint32_t kOuterUid = 1'899'999'999;

void Put(int directory, const char* name, const char* value) {
  const int fd = ::openat(directory, name, O_WRONLY | O_CLOEXEC);
  (void)!::write(fd, value, std::strlen(value));
  ::close(fd);
}

UniqueFd BuildRoot() {
  UniqueFd root = NewTmpfs({.bytes = 64 << 20, .inodes = 20000});
  for (const char* name : {"usr", "etc", "proc", "tmp", "dev"}) {
    ::mkdirat(root.get(), name, 0755);
  }
  ::mkdirat(root.get(), "shm", 0755);
  (void)!::fchmodat(root.get(), "tmp", 01777, 0);
  (void)!::fchmodat(root.get(), "shm", 01777, 0);
  const UniqueFd tmp = CloneTree(root.get(), "tmp", false);
  const UniqueFd shm = CloneTree(root.get(), "shm", false);
  const UniqueFd dev = CloneTree(staging->dev().fd(), "", true);
  const UniqueFd etc = CloneTree(staging->etc().fd(), "", true);
  bool attached = AttachTree(tmp.get(), root.get(), "tmp") &&
                  AttachTree(etc.get(), root.get(), "etc") &&
                  AttachTree(dev.get(), root.get(), "dev") &&
                  AttachTree(shm.get(), root.get(), "dev/shm");
  for (auto& host : staging->host()) {
    const char* name = host.entry.name.c_str();
    if (!host.mount) {
      (void)!::symlinkat(host.entry.link_target.c_str(), root.get(), name);
      continue;
    }
    const UniqueFd tree = CloneTree(host.mount.fd(), "", true);
    attached = attached && AttachTree(tree.get(), root.get(), name);
  }
  if (!attached ||
      !SetMountAttributes(root.get(), MOUNT_ATTR_RDONLY, -1, false)) {
    return UniqueFd();
  }
  return root;
}

bool EnterRoot(int root) {
  if (!AttachTree(root, AT_FDCWD, "/") || ::fchdir(root) != 0) return false;
  const UniqueFd proc = NewProc();
  if (!proc || !AttachTree(proc.get(), root, "proc")) return false;
  for (const char* name :
       {"kallsyms", "keys", "key-users", "timer_list", "cmdline"}) {
    const UniqueFd target(::openat(proc.get(), name, O_PATH));
    const UniqueFd null = CloneTree(root, "dev/null", false);
    AttachTree(null.get(), target.get(), "");
  }
  return ::syscall(SYS_pivot_root, ".", ".") == 0 &&
         ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
}

[[noreturn]] void RunChild(int root, int release, int memory, int pids) {
  char byte = 0;
  if (::read(release, &byte, 1) != 1) ::_exit(90);
  Put(memory, "tasks", "0");
  Put(pids, "tasks", "0");
  if (::unshare(CLONE_NEWCGROUP) != 0 || !EnterRoot(root)) ::_exit(92);
  BringLoopbackUp();
  (void)!::sethostname("cell", 4);
  ::setsid();
  constexpr ResourceLimit kLimits[] = {{RLIMIT_NOFILE, 4096}};
  LimitResources(kLimits);
  if (BecomeCellUser(true).step != SetupStep::kNone) ::_exit(91);
  if (GiveUpPrivileges().step != SetupStep::kNone) ::_exit(93);
  const char* arguments[] = {"/bin/true", nullptr};
  const char* environment[] = {nullptr};
  ::execve(arguments[0], const_cast<char**>(arguments),
           const_cast<char**>(environment));
  ::_exit(94);
}

}  // namespace

bool PrepareFloor() {
  tree.emplace(CgroupTree::Probe({}));
  auto entered = Staging::Enter(false);
  if (!entered) return false;
  staging.emplace(*std::move(entered));
  return staging->Prepare().has_value();
}

void CleanUpFloor() {
  staging.reset();
  tree.reset();
}

int RunFloorCell() {
  const int memory_base = tree->Legacy(Controller::kMemory);
  const int pids_base = tree->Legacy(Controller::kPids);
  ::mkdirat(tree->unified(), "f", 0755);
  ::mkdirat(memory_base, "f", 0755);
  ::mkdirat(pids_base, "f", 0755);
  const UniqueFd leaf(::openat(tree->unified(), "f", O_RDONLY | O_CLOEXEC));
  const UniqueFd memory(::openat(memory_base, "f", O_RDONLY | O_CLOEXEC));
  const UniqueFd pids(::openat(pids_base, "f", O_RDONLY | O_CLOEXEC));
  Put(memory.get(), "memory.limit_in_bytes", "536870912");
  Put(pids.get(), "pids.max", "257");
  const UniqueFd root = BuildRoot();
  int release[2];
  if (!root || ::pipe2(release, O_CLOEXEC) != 0) return -1;
  UniqueFd pidfd;
  const pid_t pid = CloneChild(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
                                   CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
                               leaf.get(), pidfd);
  if (pid == 0) RunChild(root.get(), release[0], memory.get(), pids.get());
  char path[64];
  char line[64];
  std::snprintf(line, sizeof(line), "1000 %u 1", kOuterUid);
  for (const char* map : {"uid_map", "gid_map"}) {
    std::snprintf(path, sizeof(path), "/proc/%d/%s", pid, map);
    Put(AT_FDCWD, path, line);
  }
  (void)!::write(release[1], "g", 1);
  siginfo_t info = {};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED);
  ::close(release[0]);
  ::close(release[1]);
  ::unlinkat(tree->unified(), "f", AT_REMOVEDIR);
  ::unlinkat(memory_base, "f", AT_REMOVEDIR);
  ::unlinkat(pids_base, "f", AT_REMOVEDIR);
  return info.si_code == CLD_EXITED ? info.si_status : -1;
}

}  // namespace assay::bench
