// What a cell has started, and what waits in it to be asked for.

#include "sandbox/launcher/live_cell.h"

#include <algorithm>
#include <utility>

#include "sandbox/cell/launcher.h"

namespace assay::sandbox {
namespace {

// Processes that wait for their start, of all cells: each is one of the host's.
constexpr int kMostAhead = 64;
constexpr std::uint32_t kNoProcess = ~0u;

bool Has(std::uint32_t bits, Weakness weakness) {
  return (bits & static_cast<std::uint32_t>(weakness)) != 0;
}

}  // namespace

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

}  // namespace assay::sandbox
