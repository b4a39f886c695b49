#include "sandbox/launcher/live_session.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <numeric>
#include <utility>

#include "proto/base/fault_point.h"
#include "sandbox/cell/message_socket.h"
#include "sandbox/cell/session.h"

namespace assay::sandbox {
namespace {

// Live at the same time; a session that needs more is broken.
constexpr std::size_t kMaxCells = 256;
constexpr std::size_t kMaxProcesses = 256;
constexpr std::size_t kMaxProcessesOfAll = 1024;
// Ends of processes are not told here; what is kept of them is forgotten when
// that many have come together.
constexpr std::size_t kMaxForgotten = 1024;
constexpr std::uint32_t kHighestSignal = 64;

// Cells that stand before they are asked for: of all sessions, because each
// holds some 200 KiB of the kernel's memory, and of one blueprint.
constexpr int kMostAhead = 32;
constexpr std::ptrdiff_t kMostAheadOfEach = 2;

// A mount point inside a volume belongs to whoever writes to the volume, and
// the mount would go with it; so such a cell is built when it is asked for.
bool MayBeAhead(const CellSpec& cell) {
  const auto target = [](const auto& mount) { return mount.target; };
  for (const auto& mount : cell.mounts) {
    if (!std::holds_alternative<VolumeMount>(mount)) continue;
    const std::string below = std::visit(target, mount) + "/";
    for (const auto& other : cell.mounts) {
      if (std::visit(target, other).starts_with(below)) return false;
    }
  }
  return true;
}

void CopyDetail(Reply& reply, const std::string& detail) {
  const std::size_t n = std::min(detail.size(), sizeof(reply.detail) - 1);
  std::memcpy(reply.detail, detail.data(), n);
}

}  // namespace

LiveSession::LiveSession(Host& host, SessionSpec spec,
                         std::vector<UniqueFd> fds, UniqueFd socket,
                         std::uint32_t& next_cell_id,
                         std::function<void()> on_gone)
    : host_(host),
      spec_(std::move(spec)),
      fds_(std::move(fds)),
      socket_(std::move(socket)),
      next_cell_id_(next_cell_id),
      on_gone_(std::move(on_gone)) {}

LiveSession::~LiveSession() {
  host_.loop.Unwatch(watch_);
  host_.loop.CancelIdle(idle_);
  host_.loop.CancelTimer(gone_timer_);
  volumes_.clear();
  for (const auto uid : taken_uids_) host_.identity.Release(uid);
}

// Blueprints that mount a common volume must be able to write each other's
// files, so each connected set of them shares a uid.
bool LiveSession::AssignUids() {
  const std::size_t cells = spec_.cells.size();
  std::vector<std::size_t> group(cells + spec_.volumes.size());
  std::iota(group.begin(), group.end(), 0);
  const auto find = [&group](std::size_t i) {
    while (group[i] != i) i = group[i];
    return i;
  };
  for (std::size_t i = 0; i < cells; ++i) {
    for (const auto& mount : spec_.cells[i].mounts) {
      const auto* volume = std::get_if<VolumeMount>(&mount);
      if (volume != nullptr) group[find(i)] = find(cells + volume->volume);
    }
  }
  std::map<std::size_t, std::uint32_t> uids;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto [it, fresh] = uids.try_emplace(find(i), 0);
    if (fresh) {
      it->second = host_.identity.Take();
      if (it->second == 0 && !host_.identity.rootless()) return false;
      taken_uids_.push_back(it->second);
    }
    (i < cells ? cell_uids_ : volume_uids_).push_back(it->second);
  }
  return true;
}

Built<void> LiveSession::Open() {
  if (!AssignUids()) {
    return std::unexpected(
        BuildFault{{SetupStep::kIdentity, EAGAIN}, "no uid is free"});
  }
  for (std::size_t i = 0; i < spec_.volumes.size(); ++i) {
    auto volume = BuildVolume(spec_.volumes[i], {.uid = volume_uids_[i]});
    if (!volume) return std::unexpected(volume.error());
    volumes_.push_back(*std::move(volume));
  }
  watch_ = host_.loop.Watch(socket_.get(), EPOLLIN,
                            [this](std::uint32_t events) { OnSocket(events); });
  for (const auto& cell : spec_.cells) {
    expected_.push_back(MayBeAhead(cell) ? cell.expected_starts : 0);
  }
  PlanAhead();
  return {};
}

void LiveSession::Close() {
  if (closing_) return;
  closing_ = true;
  host_.loop.Unwatch(std::exchange(watch_, 0));
  socket_.Reset();
  host_.loop.CancelIdle(std::exchange(idle_, 0));
  for (const auto& [id, cell] : cells_) cell->Destroy();
  for (const auto& [id, ahead] : ahead_) ahead.cell->Destroy();
  if (cells() == 0) {
    gone_timer_ = host_.loop.At(EventLoop::Clock::now(),
                                [on_gone = on_gone_] { on_gone(); });
  }
}

std::size_t LiveSession::processes() const {
  std::size_t count = 0;
  for (const auto& [id, cell] : cells_) count += cell->processes();
  return count;
}

void LiveSession::OnSocket(std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) return Close();
  if (waiting_) {
    deaf_ = true;
    return host_.loop.Change(watch_, 0);
  }
  Call call;
  std::vector<UniqueFd> none;
  switch (ReceiveRecord(socket_.get(), &call, sizeof(call), none, 0)) {
    case ReceiveResult::kNothingYet:
      return;
    case ReceiveResult::kMessage:
      if (pending_ == CallType{}) return Dispatch(call);
      waiting_ = call;
      return;
    case ReceiveResult::kClosed:
    case ReceiveResult::kMalformed:
      return Close();
  }
}

void LiveSession::Dispatch(const Call& call) {
  ReachFaultPoint("launcher.called");
  switch (call.type) {
    case CallType::kStartCell:
      return StartCell(call);
    case CallType::kKillProcess:
    case CallType::kSignalProcess:
      return CallProcess(call);
    case CallType::kDiscardCell:
      return DiscardCell(call);
    case CallType::kDestroyCell: {
      const auto it = cells_.find(call.cell);
      if (it == cells_.end()) return SendReply({.type = call.type});
      return DestroyCell(call, *it->second);
    }
    case CallType::kStartProcess:
    case CallType::kKillCell:
    case CallType::kFreeze:
    case CallType::kThaw:
    case CallType::kCellStats:
    case CallType::kWatchEmpty:
    case CallType::kListen:
    case CallType::kOpenSocket:
    case CallType::kListenUnix:
    case CallType::kConnectUnix: {
      LiveCell* cell = Standing(call.cell);
      if (cell == nullptr) {
        return SendFault(call.type, {SetupStep::kNone, ESRCH},
                         "the cell has ended");
      }
      return CallCell(call, *cell);
    }
    case CallType::kHello:
    case CallType::kCreateSession:
    case CallType::kLauncherStats:
      break;
  }
  // Not a call that a session may make: its holder is broken, or not itself.
  Close();
}

LiveCell* LiveSession::Standing(std::uint32_t id) {
  const auto it = cells_.find(id == kStartedLast ? last_started_ : id);
  return it != cells_.end() && it->second->standing() ? it->second.get()
                                                      : nullptr;
}

void LiveSession::StartCell(const Call& call) {
  last_started_ = 0;
  if (call.cell >= spec_.cells.size()) {
    return SendFault(call.type, {SetupStep::kNone, EINVAL},
                     "there is no such blueprint");
  }
  if (cells_.size() >= kMaxCells) {
    return SendFault(call.type, {SetupStep::kNone, EAGAIN}, "too many cells");
  }
  if (expected_[call.cell] > 0) --expected_[call.cell];
  if (LiveCell* ahead = TakeAhead(call.cell)) {
    last_started_ = ahead->id();
    if (!ahead->standing()) return Suspend(call.type, ahead->id());
    SendReply(
        {.type = call.type, .id = ahead->id(), .weaker = ahead->weaker()});
    return PlanAhead();
  }
  const std::uint32_t id = last_started_ = ++next_cell_id_;
  auto& cell = *cells_.emplace(id, NewCell(call.cell, id)).first->second;
  Suspend(call.type, id);
  build_result_ =
      cell.Build(cell_uids_[call.cell], volumes_, fds_,
                 [this, id](SetupFault fault) { OnCellReady(id, fault); });
  if (!build_result_) {
    SendFault(call.type, build_result_.error().fault,
              build_result_.error().detail);
    cell.Destroy();
    Resume();
  }
}

std::unique_ptr<LiveCell> LiveSession::NewCell(std::uint32_t blueprint,
                                               std::uint32_t id) {
  return std::make_unique<LiveCell>(host_, spec_.cells[blueprint], id,
                                    [this, id] { OnCellGone(id); });
}

std::optional<std::uint32_t> LiveSession::NextAhead() const {
  if (closing_ || host_.cells_ahead >= kMostAhead) return std::nullopt;
  for (std::uint32_t i = 0; i < expected_.size(); ++i) {
    const auto standing = std::count_if(
        ahead_.begin(), ahead_.end(),
        [i](const auto& item) { return item.second.blueprint == i; });
    if (standing < std::min<std::ptrdiff_t>(expected_[i], kMostAheadOfEach)) {
      return i;
    }
  }
  return std::nullopt;
}

void LiveSession::PlanAhead() {
  if (idle_ != 0 || !NextAhead()) return;
  idle_ = host_.loop.WhenIdle([this] {
    idle_ = 0;
    // Others may have used the room up meanwhile.
    if (const auto next = NextAhead()) BuildAhead(*next);
    PlanAhead();
  });
}

void LiveSession::BuildAhead(std::uint32_t blueprint) {
  const std::uint32_t id = ++next_cell_id_;
  LiveCell& cell = *ahead_.emplace(id, Ahead{blueprint, NewCell(blueprint, id)})
                        .first->second.cell;
  ++host_.cells_ahead;
  const auto built =
      cell.Build(cell_uids_[blueprint], volumes_, fds_,
                 [this, id](SetupFault fault) { OnCellReady(id, fault); });
  if (built) return;
  // Whoever asks for one is told why it cannot be built.
  expected_[blueprint] = 0;
  cell.Destroy();
}

LiveCell* LiveSession::TakeAhead(std::uint32_t blueprint) {
  for (auto& [id, ahead] : ahead_) {
    if (ahead.blueprint != blueprint || ahead.cell->ending()) continue;
    LiveCell* cell =
        cells_.emplace(id, std::move(ahead.cell)).first->second.get();
    ForgetAhead(cell->id());
    return cell;
  }
  return nullptr;
}

void LiveSession::ForgetAhead(std::uint32_t cell_id) {
  ahead_.erase(cell_id);
  --host_.cells_ahead;
}

void LiveSession::OnCellReady(std::uint32_t cell_id, SetupFault fault) {
  if (closing_) return;
  if (const auto it = ahead_.find(cell_id); it != ahead_.end()) {
    if (fault.step == SetupStep::kNone) return;
    expected_[it->second.blueprint] = 0;
    return it->second.cell->Destroy();
  }
  LiveCell& cell = *cells_.at(cell_id);
  if (fault.step != SetupStep::kNone) {
    SendFault(CallType::kStartCell, fault, cell.spec().name);
    cell.Destroy();
  } else {
    SendReply(
        {.type = CallType::kStartCell, .id = cell_id, .weaker = cell.weaker()});
  }
  Resume();
  PlanAhead();
}

void LiveSession::DestroyCell(const Call& call, LiveCell& cell) {
  Suspend(call.type, cell.id());
  cell.Destroy();
}

void LiveSession::DiscardCell(const Call& call) {
  if (const auto it = cells_.find(call.cell); it != cells_.end()) {
    it->second->Destroy();
  }
}

void LiveSession::OnCellGone(std::uint32_t cell_id) {
  if (const auto it = ahead_.find(cell_id); it != ahead_.end()) {
    // One less, or a cell that always dies would be built for ever.
    std::uint32_t& expected = expected_[it->second.blueprint];
    if (expected > 0) --expected;
    ForgetAhead(cell_id);
    PlanAhead();
  } else {
    cells_.erase(cell_id);
  }
  std::erase_if(process_cells_,
                [cell_id](const auto& item) { return item.second == cell_id; });
  if (closing_) {
    if (cells() == 0) {
      const auto on_gone = on_gone_;
      on_gone();
    }
    return;
  }
  if (pending_ == CallType::kDestroyCell && pending_cell_ == cell_id) {
    SendReply({.type = CallType::kDestroyCell});
    Resume();
  }
}

void LiveSession::StartProcess(const Call& call) {
  LiveCell& cell = *Standing(call.cell);
  if (call.process >= cell.spec().processes.size()) {
    return SendFault(call.type, {SetupStep::kNone, EINVAL},
                     "the blueprint has no such process");
  }
  if (cell.processes() >= kMaxProcesses || processes() >= kMaxProcessesOfAll) {
    return SendFault(call.type, {SetupStep::kNone, EAGAIN},
                     "too many processes");
  }
  const std::uint32_t id = ++next_process_id_;
  ClientEnds ends;
  const SetupFault fault = cell.StartProcess(call.process, id, fds_, ends);
  if (fault.step != SetupStep::kNone) {
    return SendFault(call.type, fault,
                     cell.spec().processes[call.process].name);
  }
  if (process_cells_.size() >= kMaxProcessesOfAll + kMaxForgotten) {
    std::erase_if(process_cells_, [this](const auto& item) {
      return cells_.at(item.second)->Find(item.first) == nullptr;
    });
  }
  process_cells_[id] = cell.id();
  std::vector<int> fds = {ends.exit.get(), ends.out.get(), ends.err.get()};
  if (ends.in) fds.push_back(ends.in.get());
  SendReply({.type = call.type, .id = id}, fds);
}

void LiveSession::CallProcess(const Call& call) {
  LiveProcess* process = nullptr;
  LiveCell* cell = nullptr;
  if (const auto it = process_cells_.find(call.process);
      it != process_cells_.end()) {
    cell = cells_.at(it->second).get();
    process = cell->Find(call.process);
    if (process == nullptr) process_cells_.erase(it);
  }
  // To kill what has ended is no mistake: the end may be on its way.
  if (process == nullptr) return SendReply({.type = call.type});
  if (call.type == CallType::kSignalProcess) {
    if (call.argument == 0 || call.argument > kHighestSignal) {
      return SendFault(call.type, {SetupStep::kNone, EINVAL}, "signal");
    }
    process->Signal(static_cast<int>(call.argument));
  } else {
    const auto reason = static_cast<KillReason>(call.argument);
    if (reason == KillReason::kOutputLimit) process->SetReason(OutputLimit{});
    cell->KillProcess(*process);
  }
  SendReply({.type = call.type});
}

void LiveSession::CallCell(const Call& call, LiveCell& cell) {
  switch (call.type) {
    case CallType::kStartProcess:
      return StartProcess(call);
    case CallType::kListen:
    case CallType::kOpenSocket:
    case CallType::kListenUnix:
    case CallType::kConnectUnix:
      return Socket(call, cell);
    case CallType::kKillCell:
      cell.KillProcesses();
      return SendReply({.type = call.type});
    case CallType::kWatchEmpty: {
      const UniqueFd watch = cell.WatchEmpty();
      if (!watch) return SendFault(call.type, {SetupStep::kPipes, errno});
      const int fd = watch.get();
      return SendReply({.type = call.type}, {&fd, 1});
    }
    case CallType::kCellStats: {
      const CellStats stats = cell.Stats();
      return SendReply({.type = call.type,
                        .cpu_ns = stats.cpu.count(),
                        .memory_bytes = stats.memory_bytes,
                        .memory_peak_bytes = stats.memory_peak_bytes,
                        .disk_bytes = stats.disk_bytes,
                        .disk_inodes = stats.disk_inodes,
                        .pids = stats.pids,
                        .pids_peak = stats.pids_peak,
                        .oom_kills = stats.oom_kills,
                        .pids_refused = stats.pids_refused});
    }
    default:
      if (!cell.SetFrozen(call.type == CallType::kFreeze)) {
        return SendFault(call.type, {SetupStep::kCgroup, errno});
      }
      return SendReply({.type = call.type});
  }
}

void LiveSession::Socket(const Call& call, const LiveCell& cell) {
  const int family = static_cast<int>(call.family);
  UniqueFd socket;
  if (call.type == CallType::kListenUnix ||
      call.type == CallType::kConnectUnix) {
    const std::string path(call.path, ::strnlen(call.path, sizeof(call.path)));
    socket = cell.OpenUnix(path, call.type == CallType::kListenUnix);
  } else if (call.type == CallType::kListen && call.argument <= 0xffff) {
    socket = cell.Listen(family, static_cast<std::uint16_t>(call.argument));
  } else {
    socket = cell.OpenSocket(family, static_cast<int>(call.argument));
  }
  if (!socket) return SendFault(call.type, {SetupStep::kNone, errno});
  const int fd = socket.get();
  SendReply({.type = call.type}, {&fd, 1});
}

void LiveSession::SendReply(Reply reply, std::span<const int> fds) {
  if (closing_) return;
  ReachFaultPoint("launcher.answering");
  // The socket holds many replies and a client has one call under way, so a
  // full one belongs to a client that does not play by the rules.
  if (!SendRecord(socket_.get(), &reply, sizeof(reply), fds)) Close();
}

void LiveSession::SendFault(CallType type, const SetupFault& fault,
                            const std::string& detail) {
  Reply reply = {
      .type = type,
      .error_number = fault.error_number != 0 ? fault.error_number : EIO,
      .step = static_cast<std::uint32_t>(fault.step)};
  CopyDetail(reply, detail);
  SendReply(reply);
}

void LiveSession::Suspend(CallType type, std::uint32_t cell_id) {
  pending_ = type;
  pending_cell_ = cell_id;
}

void LiveSession::Resume() {
  pending_ = {};
  pending_cell_ = 0;
  if (std::exchange(deaf_, false)) host_.loop.Change(watch_, EPOLLIN);
  if (!waiting_ || closing_) return;
  const Call next = *waiting_;
  waiting_.reset();
  Dispatch(next);
}

}  // namespace assay::sandbox
