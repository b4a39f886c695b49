#ifndef ASSAY_SANDBOX_LAUNCHER_LIVE_PROCESS_H_
#define ASSAY_SANDBOX_LAUNCHER_LIVE_PROCESS_H_

#include <sys/resource.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "sandbox/cell/spec.h"
#include "sandbox/cell/termination.h"
#include "sandbox/launcher/cell_cgroup.h"
#include "sandbox/launcher/event_loop.h"
#include "sandbox/launcher/process_entry.h"

namespace assay::sandbox {

// The client's ends of a process: exit, stdout, stderr and (only with
// Stdin::kPipe) stdin.
struct ClientEnds {
  UniqueFd exit, out, err, in;
};

// One started process of a cell: holds its time limits, and reports its end
// once, on its exit descriptor.
//
// Ownership: borrows loop, spec, cgroup and namespaces, which outlive it.
class LiveProcess {
 public:
  struct Surroundings {
    EventLoop& loop;
    CellCgroup& cgroup;
    const CellNamespaces& namespaces;
    std::span<const ResourceLimit> limits;
    // See ProcessEntryPlan.
    std::span<const std::string> writable;
    // The launcher's pid namespace, or -1: see CloneIntoPidNamespace.
    int own_pids;
    bool drop_groups;
    // The host cannot count a tree's CPU time: RLIMIT_CPU stands in.
    bool cpu_by_rlimit;
    // This process runs when it wants to.
    bool real_time;
    int archive_fd;
  };
  // `on_limit`: a time limit is reached, kill it. `on_exit`: it has ended and
  // is reaped; the object may be destroyed by the callback.
  LiveProcess(const Surroundings& around, const ProcessSpec& spec,
              std::uint32_t id, std::function<void()> on_limit,
              std::function<void()> on_exit);
  ~LiveProcess();

  // A fault of step kNone, or what went wrong; then nothing was started. With
  // a hold it waits for Release, and its time limits with it.
  SetupFault Start(Hold hold);
  // Hold::kBeforeCell only: the cell can be entered. Release must follow.
  void LetIn() const;
  // False if it has ended meanwhile.
  bool Release();
  ClientEnds TakeEnds() { return std::move(ends_); }

  // The number of its leaf.
  std::uint32_t id() const { return id_; }
  bool held() const { return hold_ != Hold::kNone; }
  int leaf() const { return leaf_.get(); }
  // Why it is about to be killed, to become its ending. The first reason wins.
  void SetReason(Ending reason);
  void Signal(int signal) const;
  // Reports the end. Called after on_exit, when the cell has seen to the rest.
  void Report(std::int64_t memory_peak, std::int32_t pids_peak);

 private:
  SetupFault MakePipes(UniqueFd (&theirs)[4]);
  SetupFault Clone(const UniqueFd (&theirs)[4]);
  bool Wake() const;
  void StartClocks();
  void CheckCpu();
  std::chrono::nanoseconds UsedCpu() const;
  void ScheduleCpuCheck(std::chrono::nanoseconds used);
  void HurryToDie() const;
  void Reap();
  Ending EndingOf(int code, int status) const;

  const Surroundings around_;
  const ProcessSpec& spec_;
  const std::uint32_t id_;
  std::function<void()> on_limit_;
  std::function<void()> on_exit_;
  Hold hold_ = Hold::kNone;
  ClientEnds ends_;
  UniqueFd leaf_;
  // Ours until it is reaped.
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  UniqueFd exit_;
  UniqueFd fault_;
  EventLoop::Token exit_watch_ = 0;
  EventLoop::Token wall_timer_ = 0;
  EventLoop::Token cpu_timer_ = 0;
  EventLoop::Clock::time_point started_;
  EventLoop::Clock::time_point ended_;
  std::optional<Ending> reason_;
  std::optional<Ending> ending_;
  rusage usage_ = {};
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_LIVE_PROCESS_H_
