#ifndef ASSAY_SANDBOX_LAUNCHER_LIVE_CELL_H_
#define ASSAY_SANDBOX_LAUNCHER_LIVE_CELL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sandbox/launcher/cell_cgroup.h"
#include "sandbox/launcher/event_loop.h"
#include "sandbox/launcher/host.h"
#include "sandbox/launcher/live_process.h"
#include "sandbox/rootfs/root_builder.h"

namespace assay::sandbox {

// One cell from its first clone to its last trace.
//
//   building --ready--> standing --(Destroy, or its pid 1 died)--> ending -->
//   gone
//
// Ownership: borrows host and spec. on_gone is called once, when no process,
// mount or cgroup of it is left; it may destroy the object.
class LiveCell {
 public:
  LiveCell(Host& host, const CellSpec& spec, std::uint32_t id,
           std::function<void()> on_gone);
  ~LiveCell();

  // Starts building. On success `on_ready` follows with how it ended; on
  // failure the cell is on its way to gone already.
  Built<void> Build(std::uint32_t outer_uid,
                    std::span<const StagedMount> volumes,
                    std::span<const UniqueFd> fds,
                    std::function<void(SetupFault)> on_ready);

  // `fds` are the session's. While the cell is building, the process is cloned
  // and waits for that to end.
  SetupFault StartProcess(std::uint32_t index, std::uint32_t process_id,
                          std::span<const UniqueFd> fds, ClientEnds& ends);
  // A standing cell is destroyed as soon as this process has ended. Before
  // Build, whose cell then takes the process in before it stands.
  void EndWith(std::uint32_t process_id) { last_process_ = process_id; }
  LiveProcess* Find(std::uint32_t process_id);
  void KillProcess(LiveProcess& process);
  void KillProcesses();
  bool SetFrozen(bool frozen) { return cgroup_.SetFrozen(frozen); }
  CellStats Stats() const;
  // Ends when nothing runs in the cell; invalid with errno.
  UniqueFd WatchEmpty();
  // A socket made inside the cell's network namespace, or -1 with errno.
  UniqueFd OpenSocket(int family, int type) const;
  UniqueFd Listen(int family, std::uint16_t port) const;
  // One by a path of the cell, listening or connected.
  UniqueFd OpenUnix(const std::string& path, bool listen) const;

  // Kills everything and begins to take the cell down. Idempotent.
  void Destroy();

  std::uint32_t id() const { return id_; }
  bool standing() const { return state_ == State::kStanding; }
  bool ending() const {
    return state_ == State::kEnding || state_ == State::kGone;
  }
  std::size_t processes() const { return processes_.size(); }
  const CellSpec& spec() const { return spec_; }
  // Weakness bits that matter to this spec.
  std::uint32_t weaker() const;

 private:
  enum class State { kBuilding, kStanding, kEnding, kGone };

  Built<void> BuildParts(std::uint32_t outer_uid,
                         std::span<const StagedMount> volumes,
                         std::span<const UniqueFd> fds);
  Built<void> CloneInit(std::uint32_t outer_uid);
  void OnReport();
  void OnInitExit();
  bool TakeOomEvent() const;
  void OnOom();
  void LookForOomKill(int looks);
  using Processes = std::map<std::uint32_t, std::unique_ptr<LiveProcess>>;
  std::unique_ptr<LiveProcess> MakeProcess(std::uint32_t index, int archive_fd);
  std::unique_ptr<LiveProcess> TakeAhead(std::uint32_t index);
  void PlanAhead();
  void MakeAhead();
  void ForgetAhead();
  Processes::iterator FindLeaf(std::uint32_t leaf);
  void OnProcessExit(std::uint32_t leaf);
  void KillByPidNamespace();
  bool ReapKiller();
  void OnKillerExit();
  void WaitForKiller();
  bool CheckOom();
  // The cgroup of an ended process, in which something was still dying.
  struct Leaf {
    std::uint32_t id;
    // Of its cgroup.events, while somebody waits for it.
    UniqueFd events;
    EventLoop::Token watch = 0;
  };
  void SweepLeaves();
  void WatchLeaves();
  void TellIfEmpty();
  void TryFinish();
  std::vector<ResourceLimit> ProcessLimits() const;
  std::vector<std::string> WritablePlaces() const;

  Host& host_;
  const CellSpec& spec_;
  const std::uint32_t id_;
  std::function<void()> on_gone_;
  std::function<void(SetupFault)> on_ready_;
  State state_ = State::kBuilding;
  bool can_be_entered_ = false;
  CellCgroup cgroup_;
  UniqueFd init_pidfd_;
  CellNamespaces namespaces_;
  // The root file system, to read how full it is.
  UniqueFd root_;
  std::int64_t skeleton_bytes_ = 0;
  std::int64_t skeleton_inodes_ = 0;
  // To pid 1. Held while the cell lives: its end tells that the launcher died.
  UniqueFd channel_;
  UniqueFd killer_;
  // Has a byte, or ends, when everybody has been killed once.
  UniqueFd killer_done_;
  EventLoop::Token init_watch_ = 0;
  EventLoop::Token ready_watch_ = 0;
  EventLoop::Token killer_watch_ = 0;
  EventLoop::Token oom_watch_ = 0;
  EventLoop::Token retry_timer_ = 0;
  EventLoop::Token oom_timer_ = 0;
  std::int32_t oom_kills_seen_ = 0;
  std::vector<ResourceLimit> limits_;
  std::vector<std::string> writable_;
  // By the number that the session gave.
  Processes processes_;
  std::optional<std::uint32_t> last_process_;
  // The one that waits to be asked for, and which of the spec's it is.
  std::unique_ptr<LiveProcess> ahead_;
  std::uint32_t ahead_index_ = 0;
  EventLoop::Token ahead_idle_ = 0;
  // How often each process of the spec will still be asked for.
  std::vector<std::uint32_t> expected_;
  std::uint32_t next_leaf_ = 0;
  std::vector<Leaf> leaves_;
  // Closed when the cell is empty.
  std::vector<UniqueFd> empty_watches_;
};

// Of the Weakness bits of a host those that matter to a cell.
std::uint32_t WeakerFor(const CellSpec& spec, std::uint32_t bits,
                        const CgroupTree& cgroups);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_LIVE_CELL_H_
