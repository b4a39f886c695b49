// How processes of a cell end, and the cell itself.

#include "sandbox/launcher/live_cell.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sandbox/launcher/clone_child.h"
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

constexpr std::size_t kMaxEmptyWatches = 16;

}  // namespace

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

}  // namespace assay::sandbox
