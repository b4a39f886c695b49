#include "tests/bench/sandbox/floor.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/cell/message_socket.h"
#include "sandbox/launcher/cgroup_tree.h"
#include "sandbox/launcher/clone_child.h"
#include "sandbox/launcher/loopback.h"
#include "sandbox/policy/confinement.h"
#include "sandbox/policy/write_fence.h"
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

// A directory of the cell's own, or the tree's where it is the only cell.
UniqueFd MakeFloorDirectory(int base) {
  if (tree->single_cell()) return UniqueFd(::fcntl(base, F_DUPFD_CLOEXEC, 0));
  ::mkdirat(base, "f", 0755);
  return UniqueFd(::openat(base, "f", O_RDONLY | O_CLOEXEC));
}

void Remove(int base) {
  if (!tree->single_cell()) ::unlinkat(base, "f", AT_REMOVEDIR);
}

UniqueFd BuildRoot() {
  UniqueFd root = NewTmpfs({.bytes = 64 << 20, .inodes = 20000});
  for (const char* name : {"usr", "etc", "proc", "tmp", "dev", "shm", "run",
                           "var", "root", "home", "mnt", "opt", "srv"}) {
    ::mkdirat(root.get(), name, 0755);
  }
  (void)!::symlinkat("../tmp", root.get(), "var/tmp");
  (void)!::symlinkat("../run", root.get(), "var/run");
  (void)!::fchmodat(root.get(), "tmp", 01777, 0);
  (void)!::fchmodat(root.get(), "shm", 01777, 0);
  const UniqueFd tmp = CloneTree(root.get(), "tmp", false);
  const UniqueFd shm = CloneTree(root.get(), "shm", false);
  const UniqueFd dev = staging->TreeOf(staging->dev());
  const UniqueFd etc = staging->TreeOf(staging->etc());
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
    const UniqueFd tree = staging->TreeOf(host.mount);
    attached = attached && AttachTree(tree.get(), root.get(), name);
  }
  if (!attached ||
      !SetMountAttributes(root.get(), MOUNT_ATTR_RDONLY, -1, false)) {
    return UniqueFd();
  }
  return root;
}

bool EnterRoot(const UniqueFd& proc, int root) {
  if (!AttachTree(root, AT_FDCWD, "/") || ::fchdir(root) != 0) return false;
  if (!proc || !AttachTree(proc.get(), root, "proc")) return false;
  for (const char* name :
       {"kallsyms", "keys", "key-users", "timer_list", "cmdline"}) {
    const UniqueFd target(::openat(proc.get(), name, O_PATH));
    const UniqueFd null = CloneTree(root, "dev/null", false);
    AttachTree(null.get(), target.get(), "");
  }
  return ::syscall(SYS_pivot_root, ".", "dev") == 0 && ::chdir("/") == 0;
}

[[noreturn]] void RunInit(int channel) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGCHLD, SIG_IGN);
  char byte = 0;
  std::vector<UniqueFd> tasks;
  if (::unshare(CLONE_NEWNET) != 0 || !BringLoopbackUp() ||
      ReceiveRecord(channel, &byte, 1, tasks, 2) != ReceiveResult::kMessage) {
    ::_exit(92);
  }
  for (const auto& fd : tasks) (void)!::write(fd.get(), "0", 1);
  (void)!::unshare(CLONE_NEWCGROUP);
  (void)!::sethostname("cell", 4);
  ::setsid();
  const UniqueFd proc = NewProc();
  std::vector<UniqueFd> root;
  if (ReceiveRecord(channel, &byte, 1, root, 1) != ReceiveResult::kMessage ||
      !EnterRoot(proc, root[0].get()) ||
      (tree->single_cell() && ::write(channel, "e", 1) != 1) ||
      ::umount2("dev", MNT_DETACH) != 0) {
    ::_exit(92);
  }
  if (BecomeCellUser(true).step != SetupStep::kNone) ::_exit(91);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (GiveUpCapabilities().step != SetupStep::kNone) ::_exit(93);
  ::dup3(channel, 0, O_CLOEXEC);
  ::syscall(SYS_close_range, 1, ~0u, 0u);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  (void)!::write(0, "r", 1);
  (void)!::read(0, &byte, 1);
  while (true) ::syscall(SYS_exit, 1);
}

// Descriptors of the program under test, and of the cell it goes to.
struct Program {
  int init = -1;
  int memory_tasks = -1;
  int pids_tasks = -1;
  int in = -1;
  int out = -1;
  int err = -1;
  int gate = -1;
};

[[noreturn]] void RunProgram(const Program& p, bool wait) {
  Put(AT_FDCWD, "/proc/self/oom_score_adj", "1000");
  (void)!::write(p.memory_tasks, "0", 1);
  (void)!::write(p.pids_tasks, "0", 1);
  char byte = 0;
  if (wait && ::read(p.gate, &byte, 1) != 1) ::_exit(90);
  if (::setns(p.init, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET |
                          CLONE_NEWIPC | CLONE_NEWUTS) != 0 ||
      ::unshare(CLONE_NEWCGROUP) != 0) {
    ::_exit(92);
  }
  ::dup2(p.in, 0);
  ::dup2(p.out, 1);
  ::dup2(p.err, 2);
  ::dup3(p.gate, 3, O_CLOEXEC);
  ::syscall(SYS_close_range, 4, ~0u, 0u);
  constexpr ResourceLimit kLimits[] = {{RLIMIT_NOFILE, 4096}};
  LimitResources(kLimits);
  if (BecomeCellUser(true).step != SetupStep::kNone) ::_exit(91);
  ::setsid();
  ::umask(022);
  if (GiveUpPrivileges().step != SetupStep::kNone) ::_exit(93);
  if (wait && ::read(3, &byte, 1) != 1) ::_exit(90);
  const std::string writable[] = {"/tmp", "/dev", "/proc"};
  if (!FenceWrites(writable) || ::chdir("/") != 0) ::_exit(93);
  const char* arguments[] = {"/bin/true", nullptr};
  const char* environment[] = {nullptr};
  ::execve(arguments[0], const_cast<char**>(arguments),
           const_cast<char**>(environment));
  ::_exit(94);
}

void Get(int directory, const char* name) {
  const int fd = ::openat(directory, name, O_RDONLY | O_CLOEXEC);
  char buffer[4096];
  (void)!::read(fd, buffer, sizeof(buffer));
  ::close(fd);
}

int Reap(int pidfd) {
  siginfo_t info = {};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED);
  return info.si_code == CLD_EXITED ? info.si_status : -1;
}

void MapIds(pid_t pid) {
  char path[64];
  char line[64];
  std::snprintf(line, sizeof(line), "1000 %u 1", kOuterUid);
  for (const char* map : {"uid_map", "gid_map"}) {
    std::snprintf(path, sizeof(path), "/proc/%d/%s", pid, map);
    Put(AT_FDCWD, path, line);
  }
}

struct FloorCgroups {
  UniqueFd own, memory, pids, event, control, memory_tasks, pids_tasks;

  void Limit() {
    memory = MakeFloorDirectory(tree->Legacy(Controller::kMemory));
    pids = MakeFloorDirectory(tree->Legacy(Controller::kPids));
    Put(memory.get(), "memory.limit_in_bytes", "536870912");
    Put(memory.get(), "memory.memsw.limit_in_bytes", "536870912");
    memory_tasks.Reset(::openat(memory.get(), "tasks", O_WRONLY | O_CLOEXEC));
    Put(pids.get(), "pids.max", "257");
    pids_tasks.Reset(::openat(pids.get(), "tasks", O_WRONLY | O_CLOEXEC));
    event.Reset(::eventfd(0, EFD_CLOEXEC));
    control.Reset(
        ::openat(memory.get(), "memory.oom_control", O_RDONLY | O_CLOEXEC));
    Put(memory.get(), "cgroup.event_control",
        (std::to_string(event.get()) + " " + std::to_string(control.get()))
            .c_str());
  }
};

// Both ends of a pipe or a pair of sockets.
struct Ends {
  UniqueFd ours, theirs;

  static Ends Pipe(bool to_us) {
    int fds[2];
    (void)!::pipe2(fds, O_CLOEXEC);
    return {UniqueFd(fds[to_us ? 0 : 1]), UniqueFd(fds[to_us ? 1 : 0])};
  }
  static Ends Sockets(int type) {
    int fds[2];
    (void)!::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
  }
};

class FloorProcess {
 public:
  FloorProcess(const FloorCgroups& cgroups, int init, const int (&tasks)[2],
               bool waits) {
    ::mkdirat(cgroups.own.get(), "p", 0755);
    leaf_.Reset(::openat(cgroups.own.get(), "p", O_RDONLY | O_CLOEXEC));
    const UniqueFd home(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    (void)!::setns(init, CLONE_NEWPID);
    if (CloneChild(0, leaf_.get(), pidfd_) == 0) {
      RunProgram({init, tasks[0], tasks[1], in_.theirs.get(), out_.theirs.get(),
                  err_.theirs.get(), gate_.theirs.get()},
                 waits);
    }
    (void)!::setns(home.get(), CLONE_NEWPID);
    for (Ends* ends : {&in_, &out_, &err_, &gate_}) ends->theirs.Reset();
  }
  void Wake() const { (void)!::write(gate_.ours.get(), "g", 1); }
  int leaf() const { return leaf_.get(); }
  int Wait() const {
    char byte = 0;
    while (::read(out_.ours.get(), &byte, 1) > 0) continue;
    while (::read(err_.ours.get(), &byte, 1) > 0) continue;
    return Reap(pidfd_.get());
  }

 private:
  Ends in_ = Ends::Pipe(false);
  Ends out_ = Ends::Pipe(true);
  Ends err_ = Ends::Pipe(true);
  Ends gate_ = Ends::Sockets(SOCK_STREAM);
  UniqueFd leaf_, pidfd_;
};

// What a result tells.
void ReadCounters(const FloorCgroups& cgroups, int leaf) {
  Get(cgroups.memory.get(), "memory.oom_control");
  Get(cgroups.memory.get(), "memory.max_usage_in_bytes");
  Get(cgroups.pids.get(), "pids.peak");
  Get(leaf, "cpu.stat");
}

}  // namespace

bool PrepareFloor(bool once) {
  tree.emplace(CgroupTree::Probe({.single_cell = once, .cores = !once}));
  auto entered = Staging::Enter(false);
  if (!entered) return false;
  staging.emplace(*std::move(entered));
  if (once) staging->ForLastCell();
  return once || staging->Prepare().has_value();
}

void CleanUpFloor() {
  staging.reset();
  tree.reset();
}

int RunFloorCell() {
  const bool once = tree->single_cell();
  FloorCgroups cgroups;
  cgroups.own = MakeFloorDirectory(tree->unified());
  Ends channel = Ends::Sockets(SOCK_SEQPACKET);
  UniqueFd init;
  const pid_t pid = CloneChild(
      CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
      cgroups.own.get(), init);
  if (pid == 0) {
    channel.ours.Reset();
    RunInit(channel.theirs.get());
  }
  channel.theirs.Reset();
  MapIds(pid);
  cgroups.Limit();
  const int tasks[] = {cgroups.memory_tasks.get(), cgroups.pids_tasks.get()};
  if (!SendRecord(channel.ours.get(), "c", 1, tasks)) return -1;
  // That it stands, and before that, if the program waits, that it can be
  // entered.
  char byte = 0;
  const auto hear = [&] { (void)!::read(channel.ours.get(), &byte, 1); };
  if (!staging->Prepare()) return -1;
  const UniqueFd root = BuildRoot();
  const int root_fd = root.get();
  if (!root || !SendRecord(channel.ours.get(), "g", 1, {&root_fd, 1})) {
    return -1;
  }
  if (!once) hear();
  const FloorProcess process(cgroups, init.get(), tasks, once);
  if (once) {
    for (int i = 0; i < 2; ++i) {
      hear();
      process.Wake();
    }
  }
  const int status = process.Wait();
  Put(process.leaf(), "cgroup.kill", "1");
  SendSignal(init.get(), SIGKILL);
  ReadCounters(cgroups, process.leaf());
  ::unlinkat(cgroups.own.get(), "p", AT_REMOVEDIR);
  Reap(init.get());
  Remove(tree->unified());
  Remove(tree->Legacy(Controller::kMemory));
  Remove(tree->Legacy(Controller::kPids));
  return status;
}

}  // namespace assay::bench
