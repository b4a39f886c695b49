#ifndef ASSAY_SANDBOX_CELL_PROTOCOL_H_
#define ASSAY_SANDBOX_CELL_PROTOCOL_H_

#include <cstdint>
#include <type_traits>

// The messages between the launcher and its clients. Every message has the
// fixed size of its struct and travels as one SOCK_SEQPACKET record, with
// descriptors as SCM_RIGHTS; anything else ends the session that sent it.
// Client and launcher come from one build, so the layout is that of the
// machine.
namespace assay::sandbox {

enum class CallType : std::uint32_t {
  // On the control socket.
  kHello = 1,
  kCreateSession,
  kLauncherStats,
  // On a session's socket.
  kStartCell = 100,
  kDestroyCell,
  // Has no answer: there is nothing to wait for.
  kDiscardCell,
  kStartProcess,
  kKillProcess,
  kSignalProcess,
  kKillCell,
  kFreeze,
  kThaw,
  kCellStats,
  kWatchEmpty,
  kListen,
  kOpenSocket,
  kListenUnix,
  kConnectUnix,
};

// Instead of a cell's id: that of the session's last kStartCell. So the next
// call can be sent before that one is answered.
inline constexpr std::uint32_t kStartedLast = ~0u;

struct Call {
  CallType type;
  // Id of a cell, or the position of a blueprint for kStartCell.
  std::uint32_t cell;
  // Id of a process, or the position of its spec for kStartProcess.
  std::uint32_t process;
  // Signal, KillReason, port or socket type.
  std::uint32_t argument;
  // AF_INET or AF_INET6.
  std::uint32_t family;
  // Of a unix socket, NUL-terminated.
  char path[108];
};

struct Reply {
  // The call that this answers.
  CallType type;
  // 0, or errno; `step` says what was being done.
  std::int32_t error_number;
  std::uint32_t step;
  // The new id of a cell or process.
  std::uint32_t id;
  std::uint32_t weaker;
  // kLauncherStats.
  std::uint32_t sessions, cells, processes;
  // kCellStats; memory_bytes also for kLauncherStats.
  std::int64_t cpu_ns, memory_bytes, memory_peak_bytes;
  std::int64_t disk_bytes, disk_inodes;
  std::int32_t pids, pids_peak, oom_kills, pids_refused;
  // What was concerned, NUL-terminated: "bind /srv/x".
  char detail[188];
};

// What an exit descriptor yields, once.
struct ExitRecord {
  // Position of the alternative in `Ending`.
  std::uint32_t ending;
  // Exit code or signal, or errno of a fault.
  std::int32_t value;
  std::uint32_t step;
  std::int32_t pids_peak;
  std::int64_t wall_ns, cpu_user_ns, cpu_system_ns, memory_peak_bytes;
};

// The kernel passes 253 at once.
inline constexpr int kMaxSessionFds = 250;
inline constexpr std::int64_t kMaxBlueprintBytes = 4 << 20;

static_assert(std::is_trivially_copyable_v<Call>);
static_assert(std::is_trivially_copyable_v<Reply>);
static_assert(std::is_trivially_copyable_v<ExitRecord>);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_PROTOCOL_H_
