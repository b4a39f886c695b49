#ifndef ASSAY_SANDBOX_LAUNCHER_LIVE_SESSION_H_
#define ASSAY_SANDBOX_LAUNCHER_LIVE_SESSION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "sandbox/cell/protocol.h"
#include "sandbox/launcher/host.h"
#include "sandbox/launcher/live_cell.h"

namespace assay::sandbox {

// One session: its blueprints, volumes and cells, and the socket on which its
// holder asks for them. A message that is not a well-formed call ends the
// session; a call that names something that is not there is answered so.
//
// Ownership: borrows host. on_gone is called once, when the socket is closed
// and no cell is left; it may destroy the object.
class LiveSession {
 public:
  LiveSession(Host& host, SessionSpec spec, std::vector<UniqueFd> fds,
              UniqueFd socket, std::uint32_t& next_cell_id,
              std::function<void()> on_gone);
  ~LiveSession();

  // Makes the volumes and begins to listen.
  Built<void> Open();
  // Ends every cell, then calls on_gone.
  void Close();

  // Those made ahead too.
  std::size_t cells() const { return cells_.size() + ahead_.size(); }
  std::size_t processes() const;

 private:
  void OnSocket(std::uint32_t events);
  void Dispatch(const Call& call);
  void StartCell(const Call& call);
  void StartProcess(const Call& call);
  void DestroyCell(const Call& call, LiveCell& cell);
  void CallProcess(const Call& call);
  void CallCell(const Call& call, LiveCell& cell);
  void Socket(const Call& call, const LiveCell& cell);
  void DiscardCell(const Call& call);
  void OnCellReady(std::uint32_t cell_id, SetupFault fault);
  void OnCellGone(std::uint32_t cell_id);
  void SendReply(Reply reply, std::span<const int> fds = {});
  void SendFault(CallType type, const SetupFault& fault,
                 const std::string& detail = {});
  // No call is read until the pending one is answered.
  void Suspend(CallType type, std::uint32_t cell_id);
  void Resume();
  LiveCell* Standing(std::uint32_t id);

  Host& host_;
  const SessionSpec spec_;
  const std::vector<UniqueFd> fds_;
  UniqueFd socket_;
  std::uint32_t& next_cell_id_;
  std::function<void()> on_gone_;
  EventLoop::Token watch_ = 0;
  EventLoop::Token gone_timer_ = 0;
  bool closing_ = false;
  // The call that is being answered in the background.
  CallType pending_ = {};
  // The next one, if the client did not wait for that. After it the client is
  // not listened to.
  std::optional<Call> waiting_;
  bool deaf_ = false;
  std::uint32_t last_started_ = 0;
  std::uint32_t pending_cell_ = 0;
  Built<void> build_result_;
  std::uint32_t next_process_id_ = 0;
  // Outer uids, by blueprint and by volume.
  std::vector<std::uint32_t> cell_uids_;
  std::vector<std::uint32_t> volume_uids_;
  std::vector<std::uint32_t> taken_uids_;
  std::vector<StagedMount> volumes_;
  std::map<std::uint32_t, std::unique_ptr<LiveCell>> cells_;
  // By process id.
  std::map<std::uint32_t, std::uint32_t> process_cells_;

  // Cells made ahead. They are built like any other and belong to one
  // blueprint, so nothing of one user's cell ever comes to another; the holder
  // of the session learns an id when it asks for a cell, and not before.
  struct Ahead {
    std::uint32_t blueprint;
    std::unique_ptr<LiveCell> cell;
  };
  std::map<std::uint32_t, Ahead> ahead_;
  // By blueprint: how many will still be asked for.
  std::vector<std::uint32_t> expected_;
  EventLoop::Token idle_ = 0;

  // Has the next cell built when there is nothing else to do.
  void PlanAhead();
  void BuildAhead(std::uint32_t blueprint);
  std::optional<std::uint32_t> NextAhead() const;
  LiveCell* TakeAhead(std::uint32_t blueprint);
  void ForgetAhead(std::uint32_t cell_id);
  std::unique_ptr<LiveCell> NewCell(std::uint32_t blueprint, std::uint32_t id);

  bool AssignUids();
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_LIVE_SESSION_H_
