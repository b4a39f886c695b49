#include "sandbox/launcher/live_cell.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sandbox/cell/launcher.h"
#include "sandbox/cell/message_socket.h"
#include "sandbox/launcher/cell_init.h"
#include "sandbox/launcher/clone_child.h"
#include "sandbox/launcher/unix_paths.h"
#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

using std::chrono::milliseconds;

// How often the cgroup of a cell that is going away is tried again.
constexpr milliseconds kRetry{2};

// How often, and how many times, the counter is read after an event: a kill can
// take a while on a busy machine.
constexpr milliseconds kOomLook{1};
constexpr int kOomLooks = 500;

// Processes that wait for their start, of all cells: each is one of the host's.
constexpr int kMostAhead = 64;
constexpr std::uint32_t kNoProcess = ~0u;

constexpr std::size_t kMaxEmptyWatches = 16;

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
    return Fault(SetupStep::kCgroup, "memory of " + spec_.name);
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

std::unique_ptr<LiveProcess> LiveCell::MakeProcess(std::uint32_t index,
                                                   int archive_fd) {
  const LiveProcess::Surroundings around = {
      .loop = host_.loop,
      .cgroup = cgroup_,
      .namespaces = namespaces_,
      .limits = limits_,
      .writable = writable_,
      .own_pids = host_.own_pids.get(),
      .drop_groups = !host_.identity.rootless(),
      .cpu_by_rlimit = Has(host_.weaker, Weakness::kCpuTime),
      .real_time = !Has(host_.weaker, Weakness::kTimerPriority),
      .archive_fd = archive_fd};
  const std::uint32_t leaf = ++next_leaf_;
  const auto on_limit = [this, leaf] {
    if (const auto it = FindLeaf(leaf); it != processes_.end()) {
      KillProcess(*it->second);
    }
  };
  return std::make_unique<LiveProcess>(around, spec_.processes[index], leaf,
                                       on_limit,
                                       [this, leaf] { OnProcessExit(leaf); });
}

SetupFault LiveCell::StartProcess(std::uint32_t index, std::uint32_t process_id,
                                  std::span<const UniqueFd> fds,
                                  ClientEnds& ends) {
  SweepLeaves();
  WaitForKiller();
  if (expected_[index] > 0) --expected_[index];
  auto process = TakeAhead(index);
  if (!process) {
    const auto& unpack = spec_.processes[index].unpack;
    process = MakeProcess(
        index,
        unpack ? fds[static_cast<std::size_t>(unpack->archive_fd)].get() : -1);
    const SetupFault fault =
        process->Start(standing() ? Hold::kNone : Hold::kBeforeCell);
    if (fault.step != SetupStep::kNone) {
      leaves_.push_back({.id = process->id()});
      return fault;
    }
  }
  ends = process->TakeEnds();
  if (process->held() && can_be_entered_) process->LetIn();
  processes_.emplace(process_id, std::move(process));
  if (standing()) PlanAhead();
  return {};
}

// The process that waits, if it is the wanted one and still there: its
// neighbours may send it signals.
std::unique_ptr<LiveProcess> LiveCell::TakeAhead(std::uint32_t index) {
  if (!ahead_ || ahead_index_ != index) return nullptr;
  if (!ahead_->Release()) {
    // Half released is no process to be asked for again.
    ahead_index_ = kNoProcess;
    KillProcess(*ahead_);
    return nullptr;
  }
  --host_.processes_ahead;
  return std::move(ahead_);
}

void LiveCell::PlanAhead() {
  const bool any = std::ranges::any_of(expected_, [](auto n) { return n > 0; });
  if (!any || ahead_ || ahead_idle_ != 0 || !cgroup_.LeavesOutUntilJoined()) {
    return;
  }
  ahead_idle_ = host_.loop.WhenIdle([this] {
    ahead_idle_ = 0;
    MakeAhead();
  });
}

void LiveCell::MakeAhead() {
  const auto next = std::find_if(expected_.begin(), expected_.end(),
                                 [](std::uint32_t n) { return n > 0; });
  if (state_ != State::kStanding || ahead_ || killer_ ||
      next == expected_.end() || host_.processes_ahead >= kMostAhead) {
    return;
  }
  ahead_index_ = static_cast<std::uint32_t>(next - expected_.begin());
  ahead_ = MakeProcess(ahead_index_, -1);
  ++host_.processes_ahead;
  // Whoever asks for it will be told.
  if (ahead_->Start(Hold::kBeforeProgram).step != SetupStep::kNone) {
    ForgetAhead();
  }
}

void LiveCell::ForgetAhead() {
  host_.loop.CancelIdle(std::exchange(ahead_idle_, 0));
  if (!ahead_) return;
  --host_.processes_ahead;
  leaves_.push_back({.id = ahead_->id()});
  ahead_.reset();
}

LiveCell::Processes::iterator LiveCell::FindLeaf(std::uint32_t leaf) {
  return std::find_if(
      processes_.begin(), processes_.end(),
      [leaf](const auto& item) { return item.second->id() == leaf; });
}

LiveProcess* LiveCell::Find(std::uint32_t process_id) {
  const auto it = processes_.find(process_id);
  return it == processes_.end() ? nullptr : it->second.get();
}

void LiveCell::KillProcess(LiveProcess& process) {
  if (cgroup_.KillLeaf(process.leaf())) return;
  process.Signal(SIGKILL);
  KillByPidNamespace();
}

void LiveCell::KillProcesses() {
  bool by_namespace = false;
  for (const auto& [id, process] : processes_) {
    if (cgroup_.KillLeaf(process->leaf())) continue;
    process->Signal(SIGKILL);
    by_namespace = true;
  }
  if (by_namespace) KillByPidNamespace();
}

// Without a cgroup: a child inside the pid namespace kills everybody there but
// pid 1. Once is enough, because whoever has a SIGKILL to take cannot fork any
// more; it stays to see them gone, which is told by nothing else, and sleeps
// meanwhile, because they need the processor for that.
void LiveCell::KillByPidNamespace() {
  WaitForKiller();
  int done[2];
  if (::pipe2(done, O_CLOEXEC) != 0) return;
  killer_done_.Reset(done[0]);
  const UniqueFd tell(done[1]);
  const auto kill_all = [&tell] {
    constexpr timespec kPause = {.tv_nsec = 200'000};
    const sched_param ordinary = {};
    ::sched_setscheduler(0, SCHED_OTHER, &ordinary);
    bool somebody = ::kill(-1, SIGKILL) == 0;
    if (::write(tell.get(), "k", 1) != 1) ::_exit(1);
    while (somebody) {
      ::nanosleep(&kPause, nullptr);
      somebody = ::kill(-1, SIGKILL) == 0;
    }
    ::_exit(0);
  };
  if (CloneIntoPidNamespace(host_.own_pids.get(), namespaces_.pid(), -1,
                            kill_all, killer_) < 0) {
    return;
  }
  killer_watch_ = host_.loop.Watch(killer_.get(), EPOLLIN,
                                   [this](std::uint32_t) { OnKillerExit(); });
}

// Whether it has seen everybody gone.
bool LiveCell::ReapKiller() {
  host_.loop.Unwatch(std::exchange(killer_watch_, 0));
  siginfo_t info = {};
  ::waitid(P_PIDFD, static_cast<id_t>(killer_.get()), &info, WEXITED);
  killer_.Reset();
  return info.si_code == CLD_EXITED && info.si_status == 0;
}

void LiveCell::OnKillerExit() {
  if (ReapKiller()) {
    TellIfEmpty();
  } else if (state_ == State::kStanding) {
    KillByPidNamespace();
  }
}

// Before anything new is started, which it would kill too. Not until all are
// gone: of those that are our children it is us who has to reap them.
void LiveCell::WaitForKiller() {
  if (!killer_) return;
  char byte = 0;
  (void)!::read(killer_done_.get(), &byte, 1);
  SendSignal(killer_.get(), SIGKILL);
  ReapKiller();
}

bool LiveCell::CheckOom() {
  const std::int32_t kills = cgroup_.OomKills();
  if (kills <= oom_kills_seen_) return false;
  oom_kills_seen_ = kills;
  for (const auto& [id, process] : processes_) {
    process->SetReason(OutOfMemory{});
  }
  return true;
}

// False if there was none. An event that is not taken is reported for ever.
bool LiveCell::TakeOomEvent() const {
  if (!cgroup_.oom_is_priority()) {
    std::uint64_t count = 0;
    return ::read(cgroup_.oom_event(), &count, sizeof(count)) > 0;
  }
  // The kernel takes a read from the start of memory.events as news received.
  char news[512];
  return ::pread(cgroup_.oom_event(), news, sizeof(news), 0) >= 0;
}

void LiveCell::OnOom() {
  if (!TakeOomEvent()) return;
  host_.loop.CancelTimer(oom_timer_);
  LookForOomKill(kOomLooks);
}

// The event of v1 comes before the kill that it is about, so the counter may
// still have to move.
void LiveCell::LookForOomKill(int looks) {
  oom_timer_ = 0;
  // The kernel has killed one process; the cell's memory belongs to all.
  if (CheckOom()) {
    if (Stands(Defence::kMemoryKill)) KillProcesses();
    return;
  }
  if (looks == 0) return;
  oom_timer_ = host_.loop.At(EventLoop::Clock::now() + kOomLook,
                             [this, looks] { LookForOomKill(looks - 1); });
}

void LiveCell::OnProcessExit(std::uint32_t leaf) {
  if (CheckOom()) KillProcesses();
  const auto it = FindLeaf(leaf);
  if (it == processes_.end()) {
    ForgetAhead();
    SweepLeaves();
    if (state_ == State::kEnding) TryFinish();
    return;
  }
  auto process = std::move(it->second);
  // While the cell is built its builder is told how that ends, and sees to it.
  const bool was_last = it->first == last_process_ && standing();
  processes_.erase(it);
  leaves_.push_back({.id = leaf});
  // Whatever the program left behind ends with it.
  if (was_last) {
    // First, so that the cell goes down while its counters are read.
    Destroy();
  } else if (Stands(Defence::kTreeKill) && !cgroup_.KillLeaf(process->leaf()) &&
             processes_.empty() && state_ == State::kStanding) {
    KillByPidNamespace();
  }
  const CellPeaks peaks = cgroup_.Peaks();
  process->Report(peaks.memory_bytes, peaks.pids);
  process.reset();
  SweepLeaves();
  if (state_ == State::kEnding) TryFinish();
}

void LiveCell::SweepLeaves() {
  std::erase_if(leaves_, [this](Leaf& leaf) {
    if (!cgroup_.RemoveLeaf(leaf.id)) return false;
    host_.loop.Unwatch(leaf.watch);
    return true;
  });
  TellIfEmpty();
}

void LiveCell::TellIfEmpty() {
  if (empty_watches_.empty()) return;
  if (processes_.empty() && leaves_.empty() && !killer_) {
    empty_watches_.clear();
  } else {
    WatchLeaves();
  }
}

// Only for those who wait: others are swept when the next process comes or
// goes.
void LiveCell::WatchLeaves() {
  for (auto& leaf : leaves_) {
    if (leaf.watch != 0) continue;
    leaf.events = cgroup_.LeafEvents(leaf.id);
    if (!leaf.events) continue;
    // The first round is for what happened before.
    leaf.watch = host_.loop.Watch(
        leaf.events.get(), EPOLLPRI, [this, id = leaf.id](std::uint32_t) {
          const auto it = std::ranges::find(leaves_, id, &Leaf::id);
          char news[128];
          // The kernel takes a read from the start as news received.
          if (it != leaves_.end() &&
              ::pread(it->events.get(), news, sizeof(news), 0) >= 0) {
            SweepLeaves();
          }
        });
  }
}

UniqueFd LiveCell::WatchEmpty() {
  int ends[2];
  // Each holds a descriptor of ours, for as long as the cell is not empty.
  if (empty_watches_.size() >= kMaxEmptyWatches) {
    errno = EAGAIN;
    return UniqueFd();
  }
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return UniqueFd();
  empty_watches_.emplace_back(ends[1]);
  SweepLeaves();
  return UniqueFd(ends[0]);
}

UniqueFd LiveCell::OpenSocket(int family, int type) const {
  const bool internet = (family == AF_INET || family == AF_INET6) &&
                        (type == SOCK_STREAM || type == SOCK_DGRAM);
  if (!internet && (family != AF_UNIX || type != SOCK_STREAM)) {
    errno = EINVAL;
    return UniqueFd();
  }
  if (::setns(namespaces_.network(), CLONE_NEWNET) != 0) return UniqueFd();
  UniqueFd socket(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int saved = errno;
  // Going on in a candidate's network would be worse than ending.
  if (::setns(host_.own_network.get(), CLONE_NEWNET) != 0) ::abort();
  errno = saved;
  return socket;
}

UniqueFd LiveCell::Listen(int family, std::uint16_t port) const {
  UniqueFd socket = OpenSocket(family, SOCK_STREAM);
  if (!socket) return socket;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6 = {};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  const bool six = family == AF_INET6;
  const auto* address = six ? reinterpret_cast<const sockaddr*>(&v6)
                            : reinterpret_cast<const sockaddr*>(&v4);
  constexpr int kBacklog = 1024;
  if (::bind(socket.get(), address, six ? sizeof(v6) : sizeof(v4)) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return UniqueFd();
  }
  return socket;
}

UniqueFd LiveCell::OpenUnix(const std::string& path, bool listen) const {
  UniqueFd socket = OpenSocket(AF_UNIX, SOCK_STREAM);
  if (!socket) return socket;
  const auto open = listen ? ListenInCell : ConnectInCell;
  if (!open(root_.get(), path, socket.get())) return UniqueFd();
  return socket;
}

void LiveCell::Destroy() {
  if (state_ == State::kEnding || state_ == State::kGone) return;
  state_ = State::kEnding;
  host_.loop.Unwatch(std::exchange(ready_watch_, 0));
  host_.loop.Unwatch(std::exchange(oom_watch_, 0));
  host_.loop.CancelIdle(std::exchange(ahead_idle_, 0));
  if (processes_.empty() && leaves_.empty() && !ahead_) {
    // Only pid 1 is left, and a quota would hold it up.
    cgroup_.LiftQuota();
  } else {
    cgroup_.KillAll();
  }
  // Its death ends everybody in its pid namespace, and is what we wait for.
  if (init_pidfd_) {
    SendSignal(init_pidfd_.get(), SIGKILL);
    return;
  }
  // Not from here: the caller still works with this object.
  retry_timer_ =
      host_.loop.At(EventLoop::Clock::now(), [this] { TryFinish(); });
}

void LiveCell::OnInitExit() {
  siginfo_t info = {};
  if (::waitid(P_PIDFD, static_cast<id_t>(init_pidfd_.get()), &info,
               WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return;
  }
  host_.loop.Unwatch(std::exchange(init_watch_, 0));
  init_pidfd_.Reset();
  namespaces_ = {};
  // What it told before it died, and then that it did.
  while (state_ == State::kBuilding && ready_watch_ != 0) OnReport();
  // Its pid namespace went with it. The session finds out at its next call.
  if (state_ != State::kEnding) return Destroy();
  TryFinish();
}

void LiveCell::TryFinish() {
  host_.loop.CancelTimer(std::exchange(retry_timer_, 0));
  if (state_ != State::kEnding || init_pidfd_ || !processes_.empty() ||
      ahead_) {
    return;
  }
  root_.Reset();
  SweepLeaves();
  if (!leaves_.empty() || !cgroup_.Remove()) {
    retry_timer_ = host_.loop.At(EventLoop::Clock::now() + kRetry,
                                 [this] { TryFinish(); });
    return;
  }
  state_ = State::kGone;
  const auto on_gone = on_gone_;
  on_gone();
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
