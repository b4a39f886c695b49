#include "sandbox/launcher/live_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "sandbox/cell/protocol.h"
#include "sandbox/launcher/clone_child.h"
#include "sandbox/launcher/cpu_accounts.h"
#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

using std::chrono::nanoseconds;

// A CPU limit is looked at when it could be reached at the earliest, but not
// more often than this.
constexpr nanoseconds kLeastCpuWait = std::chrono::milliseconds(1);

// What may be missing from the account of a processor: the slowest clock that
// kernels are built with ticks this often.
constexpr nanoseconds kTick = std::chrono::milliseconds(10);

std::int64_t Nanoseconds(const timeval& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_usec * 1000LL;
}

int Processors() {
  static const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
  return static_cast<int>(std::max(count, 1L));
}

}  // namespace

LiveProcess::LiveProcess(const Surroundings& around, const ProcessSpec& spec,
                         std::uint32_t id, std::function<void()> on_limit,
                         std::function<void()> on_exit)
    : around_(around),
      spec_(spec),
      id_(id),
      on_limit_(std::move(on_limit)),
      on_exit_(std::move(on_exit)) {}

LiveProcess::~LiveProcess() {
  around_.loop.Unwatch(exit_watch_);
  around_.loop.CancelTimer(wall_timer_);
  around_.loop.CancelTimer(cpu_timer_);
}

// The cell's ends of stdin, stdout, stderr and the socket for faults.
SetupFault LiveProcess::MakePipes(UniqueFd (&theirs)[4]) {
  enum { kIn, kOut, kErr, kFault };
  const auto make = [&theirs](int which, UniqueFd& ours) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    theirs[which].Reset(ends[which == kIn ? 0 : 1]);
    ours.Reset(ends[which == kIn ? 1 : 0]);
    return true;
  };
  const auto fault = [] { return SetupFault{SetupStep::kPipes, errno}; };
  if (spec_.stdin_kind == Stdin::kPipe) {
    if (!make(kIn, ends_.in)) return fault();
  } else {
    theirs[kIn].Reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!theirs[kIn]) return fault();
  }
  if (!make(kOut, ends_.out) || !make(kErr, ends_.err)) return fault();
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return fault();
  }
  fault_.Reset(pair[0]);
  theirs[kFault].Reset(pair[1]);
  if (::pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0) return fault();
  ends_.exit.Reset(pair[0]);
  exit_.Reset(pair[1]);
  return {};
}

SetupFault LiveProcess::Start(Hold hold) {
  hold_ = hold;
  UniqueFd theirs[4];
  if (auto fault = MakePipes(theirs); fault.step != SetupStep::kNone) {
    return fault;
  }
  leaf_ = around_.cgroup.MakeLeaf(id_);
  started_ = EventLoop::Clock::now();
  if (auto fault = Clone(theirs); fault.step != SetupStep::kNone) return fault;
  exit_watch_ = around_.loop.Watch(pidfd_.get(), EPOLLIN,
                                   [this](std::uint32_t) { Reap(); });
  if (!held()) StartClocks();
  return {};
}

bool LiveProcess::Wake() const {
  return ::send(fault_.get(), "g", 1, MSG_NOSIGNAL) == 1;
}

// If it is gone, its end tells.
void LiveProcess::LetIn() const { (void)Wake(); }

bool LiveProcess::Release() {
  hold_ = Hold::kNone;
  started_ = EventLoop::Clock::now();
  if (!Wake()) return false;
  StartClocks();
  return true;
}

SetupFault LiveProcess::Clone(const UniqueFd (&theirs)[4]) {
  std::vector<ResourceLimit> limits(around_.limits.begin(),
                                    around_.limits.end());
  if (around_.cpu_by_rlimit && spec_.cpu_limit.count() > 0) {
    const auto seconds =
        std::chrono::ceil<std::chrono::seconds>(spec_.cpu_limit).count();
    limits.push_back({RLIMIT_CPU, static_cast<std::uint64_t>(seconds)});
  }
  const ProcessEntryPlan plan = {.spec = &spec_,
                                 .namespaces = &around_.namespaces,
                                 .tasks = around_.cgroup.tasks(),
                                 .limits = limits,
                                 .writable = around_.writable,
                                 .stdin_fd = theirs[0].get(),
                                 .stdout_fd = theirs[1].get(),
                                 .stderr_fd = theirs[2].get(),
                                 .fault_fd = theirs[3].get(),
                                 .archive_fd = around_.archive_fd,
                                 .drop_groups = around_.drop_groups,
                                 .hold = hold_};
  const OrdinaryBirth birth(around_.cgroup.HasCpu());
  const pid_t pid = CloneIntoPidNamespace(
      around_.own_pids, around_.namespaces.pid(), leaf_.get(),
      [&plan] { RunProcessEntry(plan); }, pidfd_);
  if (pid < 0) return {SetupStep::kClone, errno};
  pid_ = pid;
  return {};
}

void LiveProcess::StartClocks() {
  if (spec_.wall_limit.count() > 0 && Stands(Defence::kWallLimit)) {
    wall_timer_ = around_.loop.At(started_ + spec_.wall_limit, [this] {
      SetReason(WallTimeout{});
      on_limit_();
      HurryToDie();
    });
  }
  if (spec_.cpu_limit.count() > 0 && leaf_ && Stands(Defence::kCpuLimit)) {
    ScheduleCpuCheck(nanoseconds(0));
  }
}

nanoseconds LiveProcess::UsedCpu() const {
  const nanoseconds told(CellCgroup::LeafTimes(leaf_.get()).total_ns);
  const bool close = told + Processors() * kTick >= spec_.cpu_limit;
  if (!close || !around_.real_time) return told;
  SettleCpuAccounts();
  return nanoseconds(CellCgroup::LeafTimes(leaf_.get()).total_ns);
}

void LiveProcess::CheckCpu() {
  const nanoseconds used = UsedCpu();
  if (used >= spec_.cpu_limit) {
    SetReason(CpuTimeout{});
    on_limit_();
    HurryToDie();
    return;
  }
  ScheduleCpuCheck(used);
}

void LiveProcess::ScheduleCpuCheck(nanoseconds used) {
  const nanoseconds earliest = (spec_.cpu_limit - used) / Processors();
  cpu_timer_ = around_.loop.At(
      EventLoop::Clock::now() + std::max(earliest, kLeastCpuWait),
      [this] { CheckCpu(); });
}

// A process that is killed among many that spin waits its turn to die, and its
// end would be told that much later. Where this is not allowed it does.
void LiveProcess::HurryToDie() const {
  const sched_param priority = {.sched_priority = 1};
  ::sched_setscheduler(pid_, SCHED_FIFO, &priority);
}

void LiveProcess::SetReason(Ending reason) {
  if (!reason_) reason_ = reason;
}

void LiveProcess::Signal(int signal) const { SendSignal(pidfd_.get(), signal); }

void LiveProcess::Reap() {
  siginfo_t info = {};
  // The raw call, because the C library's has no rusage.
  const long result = ::syscall(SYS_waitid, P_PIDFD, pidfd_.get(), &info,
                                WEXITED | WNOHANG, &usage_);
  if (result != 0 || info.si_pid == 0) return;
  ended_ = EventLoop::Clock::now();
  around_.loop.Unwatch(std::exchange(exit_watch_, 0));
  around_.loop.CancelTimer(std::exchange(wall_timer_, 0));
  around_.loop.CancelTimer(std::exchange(cpu_timer_, 0));
  ending_ = EndingOf(info.si_code, info.si_status);
  // A copy: the callback destroys this object.
  const auto on_exit = on_exit_;
  on_exit();
}

Ending LiveProcess::EndingOf(int code, int status) const {
  SetupFault fault;
  if (::recv(fault_.get(), &fault, sizeof(fault), MSG_DONTWAIT) ==
      sizeof(fault)) {
    return fault;
  }
  if (code == CLD_EXITED) return Exited{status};
  const bool over_cpu =
      around_.cpu_by_rlimit && spec_.cpu_limit.count() > 0 &&
      Nanoseconds(usage_.ru_utime) + Nanoseconds(usage_.ru_stime) >=
          spec_.cpu_limit.count();
  if (over_cpu && (status == SIGXCPU || status == SIGKILL)) return CpuTimeout{};
  return Signalled{status};
}

void LiveProcess::Report(std::int64_t memory_peak, std::int32_t pids_peak) {
  // A program that ended by itself just before it was to be killed has kept
  // its limit.
  const bool by_us = reason_ && std::holds_alternative<Signalled>(*ending_);
  const Ending ending = by_us ? *reason_ : *ending_;
  ExitRecord record = {};
  record.ending = static_cast<std::uint32_t>(ending.index());
  if (const auto* exited = std::get_if<Exited>(&ending)) {
    record.value = exited->code;
  } else if (const auto* signalled = std::get_if<Signalled>(&ending)) {
    record.value = signalled->signal;
  } else if (const auto* fault = std::get_if<SetupFault>(&ending)) {
    record.value = fault->error_number;
    record.step = static_cast<std::uint32_t>(fault->step);
  }
  record.wall_ns = nanoseconds(ended_ - started_).count();
  if (leaf_) {
    const CpuTimes times = CellCgroup::LeafTimes(leaf_.get());
    record.cpu_user_ns = times.user_ns;
    record.cpu_system_ns = times.system_ns;
  } else {
    record.cpu_user_ns = Nanoseconds(usage_.ru_utime);
    record.cpu_system_ns = Nanoseconds(usage_.ru_stime);
  }
  record.memory_peak_bytes =
      memory_peak > 0 ? memory_peak : usage_.ru_maxrss * 1024;
  record.pids_peak = pids_peak;
  // A fresh pipe has room, and a client that closed its end does not care.
  if (::write(exit_.get(), &record, sizeof(record)) < 0) return;
  exit_.Reset();
}

}  // namespace assay::sandbox
