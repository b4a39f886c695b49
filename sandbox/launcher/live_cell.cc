#include "sandbox/launcher/live_cell.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sandbox/cell/launcher.h"
#include "sandbox/cell/message_socket.h"
#include "sandbox/launcher/cell_init.h"
#include "sandbox/launcher/clone_child.h"
#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

bool Has(std::uint32_t bits, Weakness weakness) {
  return (bits & static_cast<std::uint32_t>(weakness)) != 0;
}

std::unexpected<BuildFault> Fault(SetupStep step, std::string detail) {
  return std::unexpected(BuildFault{{step, errno}, std::move(detail)});
}

// Whose owners have to be mapped, which takes a process each time.
bool ShowsHostFiles(const CellSpec& spec) {
  for (const auto& mount : spec.mounts) {
    if (std::holds_alternative<BindMount>(mount) ||
        std::holds_alternative<OverlayMount>(mount)) {
      return true;
    }
  }
  return !std::holds_alternative<HostRoot>(spec.root);
}

struct DiskUse {
  std::int64_t bytes = 0;
  std::int64_t inodes = 0;
};

DiskUse DiskUseOf(int mount) {
  struct statfs info;
  if (::fstatfs(mount, &info) != 0) return {};
  return {.bytes = static_cast<std::int64_t>(info.f_blocks - info.f_bfree) *
                   info.f_bsize,
          .inodes = static_cast<std::int64_t>(info.f_files - info.f_ffree)};
}

}  // namespace

LiveCell::LiveCell(Host& host, const CellSpec& spec, std::uint32_t id,
                   std::function<void()> on_gone)
    : host_(host), spec_(spec), id_(id), on_gone_(std::move(on_gone)) {}

LiveCell::~LiveCell() {
  for (const auto token : {init_watch_, ready_watch_, oom_watch_}) {
    host_.loop.Unwatch(token);
  }
  host_.loop.CancelTimer(retry_timer_);
  host_.loop.CancelTimer(oom_timer_);
  ForgetAhead();
  WaitForKiller();
  for (const auto& leaf : leaves_) host_.loop.Unwatch(leaf.watch);
}

Built<void> LiveCell::Build(std::uint32_t outer_uid,
                            std::span<const StagedMount> volumes,
                            std::span<const UniqueFd> fds,
                            std::function<void(SetupFault)> on_ready) {
  on_ready_ = std::move(on_ready);
  auto built = BuildParts(outer_uid, volumes, fds);
  // Pid 1 is born into a cgroup of version 2, and a limit that it cannot keep
  // ends it at whichever of the steps comes next.
  if (!built && cgroup_.OomKills() > 0) {
    errno = ENOMEM;
    return Fault(SetupStep::kCgroup, "");
  }
  return built;
}

Built<void> LiveCell::BuildParts(std::uint32_t outer_uid,
                                 std::span<const StagedMount> volumes,
                                 std::span<const UniqueFd> fds) {
  limits_ = ProcessLimits();
  writable_ = WritablePlaces();
  for (const auto& process : spec_.processes) {
    expected_.push_back(process.unpack ? 0 : process.expected_starts);
  }
  CellOwner owner = {.uid = outer_uid};
  if (!host_.identity.rootless() && ShowsHostFiles(spec_)) {
    owner.id_map = host_.identity.IdMap(outer_uid);
    if (owner.id_map < 0) return Fault(SetupStep::kIdMap, "owner of mounts");
  }
  if (!cgroup_.Create(host_.cgroups, id_, spec_.limits)) {
    return Fault(SetupStep::kCgroup, "limits of " + spec_.name);
  }
  // First, because it has its own work to do beside ours.
  if (auto cloned = CloneInit(outer_uid); !cloned) return cloned;
  if (auto prepared = host_.staging.Prepare(); !prepared) {
    return Fault(SetupStep::kMount, prepared.error().message);
  }
  auto root = BuildRoot(host_.staging, spec_, owner, volumes, fds);
  if (!root) return std::unexpected(root.error());
  root_ = *std::move(root);
  const DiskUse skeleton = DiskUseOf(root_.get());
  skeleton_bytes_ = skeleton.bytes;
  skeleton_inodes_ = skeleton.inodes;
  const int fd = root_.get();
  const char order = last_process_ ? kTellEntrance : 'g';
  if (!SendRecord(channel_.get(), &order, 1, {&fd, 1})) {
    return Fault(SetupStep::kClone, "pid 1 of " + spec_.name);
  }
  return {};
}

CellStats LiveCell::Stats() const {
  CellStats stats = cgroup_.Stats();
  const DiskUse use = DiskUseOf(root_.get());
  stats.disk_bytes = use.bytes - skeleton_bytes_;
  stats.disk_inodes = use.inodes - skeleton_inodes_;
  return stats;
}

Built<void> LiveCell::CloneInit(std::uint32_t outer_uid) {
  int channel[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) {
    return Fault(SetupStep::kPipes, "");
  }
  channel_.Reset(channel[0]);
  const UniqueFd theirs(channel[1]);

  const bool rootless = host_.identity.rootless();
  std::uint64_t namespaces = CellNamespaceFlags();
  // An ordinary user's launcher has to open the namespaces now, and later could
  // not look at pid 1 any more.
  if (!rootless) namespaces &= ~std::uint64_t{CLONE_NEWNET};
  const OrdinaryBirth birth(cgroup_.HasCpu());
  const pid_t pid = CloneChild(namespaces, cgroup_.directory(), init_pidfd_);
  if (pid < 0) return Fault(SetupStep::kClone, "pid 1 of " + spec_.name);
  if (pid == 0) {
    // Else the child would keep the launcher's end open and never see it close.
    channel_.Reset();
    RunCellInit({.channel = theirs.get(),
                 .hostname = spec_.hostname,
                 .loopback = spec_.loopback,
                 .make_network = !rootless,
                 .drop_groups = !rootless});
  }
  init_watch_ = host_.loop.Watch(init_pidfd_.get(), EPOLLIN,
                                 [this](std::uint32_t) { OnInitExit(); });
  if (!host_.identity.MapCell(pid, outer_uid)) {
    return Fault(SetupStep::kIdMap, "user of " + spec_.name);
  }
  if (!namespaces_.Open(pid, init_pidfd_.get(), rootless)) {
    return Fault(SetupStep::kNamespaces, "of " + spec_.name);
  }
  if (!cgroup_.CreateLegacy()) {
    return Fault(SetupStep::kCgroup, "limits of " + spec_.name);
  }
  if (!SendRecord(channel_.get(), "c", 1, cgroup_.tasks())) {
    return Fault(SetupStep::kClone, "pid 1 of " + spec_.name);
  }
  ready_watch_ = host_.loop.Watch(channel_.get(), EPOLLIN,
                                  [this](std::uint32_t) { OnReport(); });
  return {};
}

void LiveCell::OnReport() {
  SetupFault fault = {SetupStep::kClone, EPIPE};
  if (::read(channel_.get(), &fault, sizeof(fault)) != sizeof(fault)) {
    fault = {SetupStep::kClone, EPIPE};
    // A memory limit that not even pid 1 could keep.
    if (cgroup_.OomKills() > 0) fault = {SetupStep::kCgroup, ENOMEM};
  }
  if (fault.step == SetupStep::kNone && !std::exchange(can_be_entered_, true)) {
    for (const auto& [id, process] : processes_) process->LetIn();
    // Else this was the last report already.
    if (last_process_) return;
  }
  host_.loop.Unwatch(std::exchange(ready_watch_, 0));
  if (state_ != State::kBuilding) return;
  if (fault.step == SetupStep::kNone) {
    state_ = State::kStanding;
    for (const auto& [id, process] : processes_) process->Release();
    PlanAhead();
    if (cgroup_.oom_event() >= 0) {
      oom_watch_ = host_.loop.Watch(
          cgroup_.oom_event(), cgroup_.oom_is_priority() ? EPOLLPRI : EPOLLIN,
          [this](std::uint32_t) { OnOom(); });
    }
  }
  // A copy: the callback may destroy the cell.
  const auto on_ready = on_ready_;
  on_ready(fault);
}

std::vector<ResourceLimit> LiveCell::ProcessLimits() const {
  const Limits& limits = spec_.limits;
  std::vector<ResourceLimit> all;
  const auto add = [&all](int resource, std::int64_t value) {
    if (value > 0) all.push_back({resource, static_cast<std::uint64_t>(value)});
  };
  if (Stands(Defence::kOpenFilesLimit)) add(RLIMIT_NOFILE, limits.open_files);
  if (Stands(Defence::kFileSizeLimit)) add(RLIMIT_FSIZE, limits.file_bytes);
  if (Has(host_.weaker, Weakness::kMemory)) {
    add(RLIMIT_DATA, limits.memory_bytes);
  }
  if (Has(host_.weaker, Weakness::kPids)) {
    add(RLIMIT_NPROC, limits.pids > 0 ? std::int64_t{limits.pids} + 1 : 0);
  }
  return all;
}

std::vector<std::string> LiveCell::WritablePlaces() const {
  // All of such a root may be changed.
  if (!std::holds_alternative<HostRoot>(spec_.root)) return {};
  std::vector<std::string> places = {"/tmp", "/dev", "/proc"};
  const auto add = [&places](const auto& mount) {
    if constexpr (requires { mount.read_only; }) {
      if (mount.read_only) return;
    }
    if constexpr (requires { mount.writable; }) {
      if (!mount.writable) return;
    }
    places.push_back(mount.target);
  };
  for (const auto& mount : spec_.mounts) std::visit(add, mount);
  return places;
}

std::uint32_t LiveCell::weaker() const {
  return WeakerFor(spec_, host_.weaker, host_.cgroups);
}

std::uint32_t WeakerFor(const CellSpec& spec, std::uint32_t bits,
                        const CgroupTree& cgroups) {
  const auto drop = [&bits](Weakness w) {
    bits &= ~static_cast<std::uint32_t>(w);
  };
  if (spec.limits.memory_bytes <= 0) drop(Weakness::kMemory);
  if (spec.limits.pids <= 0) drop(Weakness::kPids);
  if (spec.limits.cores <= 0) drop(Weakness::kCores);
  if (spec.limits.io_bytes_per_second > 0 && !cgroups.Has(Controller::kIo)) {
    bits |= static_cast<std::uint32_t>(Weakness::kIo);
  }
  bool cpu_limit = false;
  for (const auto& process : spec.processes) {
    cpu_limit = cpu_limit || process.cpu_limit.count() > 0;
  }
  if (!cpu_limit) drop(Weakness::kCpuTime);
  return bits;
}

}  // namespace assay::sandbox
