#ifndef ASSAY_SANDBOX_CELL_LAUNCHER_H_
#define ASSAY_SANDBOX_CELL_LAUNCHER_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/spec.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// What this host does not let the launcher enforce. As root all is enforced
// where the kernel has it; as an ordinary user most limits need a cgroup v2
// subtree that was delegated to that user.
enum class Weakness : std::uint32_t {
  // No memory cgroup: an RLIMIT_DATA of the same size per process instead.
  kMemory = 1u << 0,
  // No pids cgroup: an RLIMIT_NPROC, counted per user, instead.
  kPids = 1u << 1,
  // No cpu cgroup: Limits::cores is ignored.
  kCores = 1u << 2,
  // No cgroup of ours at all: a tree is killed through the cell's pid
  // namespace (slower), with all other processes of the cell.
  kTreeKill = 1u << 3,
  // CPU limits see the first process only (RLIMIT_CPU, whole seconds up).
  kCpuTime = 1u << 4,
  // Freeze and Thaw are refused.
  kFreeze = 1u << 5,
  // All cells run under the caller's own uid.
  kSharedUid = 1u << 6,
  // The caller's supplementary groups stay with the cells.
  kGroups = 1u << 7,
  // The timer thread has no real-time priority: limits may fire late under
  // load.
  kTimerPriority = 1u << 8,
  // No io controller of cgroup v2: Limits::io_bytes_per_second is ignored.
  kIo = 1u << 9,
};
inline constexpr std::uint32_t kAllWeaknesses = (1u << 10) - 1;
// "memory limit: an address-space limit per process instead (no memory
// cgroup)": one sentence for each bit set.
std::vector<std::string> DescribeWeaknesses(std::uint32_t bits);
// "memory", "pids", "cores", "tree-kill", ...: names for options and JSON.
std::string_view WeaknessName(Weakness weakness);

// Live objects of a launcher.
struct LauncherStats {
  std::uint32_t sessions = 0;
  std::uint32_t cells = 0;
  std::uint32_t processes = 0;
  // Resident memory of the launcher itself.
  std::int64_t resident_bytes = 0;
};

// The worker's side of the sandbox: starts `assay-launcher` and makes sessions.
//
//   ASSAY_ASSIGN_OR_RETURN(Launcher launcher, Launcher::Spawn(path));
//   SessionSpec spec;
//   spec.volumes.push_back({.bytes = 256 << 20});
//   spec.cells.push_back({.name = "build",
//                         .mounts = {VolumeMount{.volume = 0}},
//                         .processes = {{.name = "unpack",
//                                        .unpack =
//                                        UnpackAction{archive.get()}},
//                                       {.name = "build",
//                                        .arguments = {"make"},
//                                        .working_directory = "/work"}}});
//   ASSAY_ASSIGN_OR_RETURN(UniqueFd session, launcher.CreateSession(spec));
//   // Hand `session` to assay-run, which wraps it in a Session (session.h).
//
// Ownership: owns the child; its destructor closes the control socket, at which
// the launcher kills every cell, cleans up and exits, and reaps it.
// Threads: one at a time.
// Errors: kUnavailable when the launcher died, kInvalidArgument for a spec that
// it refuses (the message says which part), kResourceExhausted for too large a
// spec or too many sessions.
class Launcher {
 public:
  // Starts the program at `path` as a child, with the caller's privileges: as
  // root each cell (or group of cells sharing volumes) gets a uid of its own;
  // as an ordinary user the launcher enters a user namespace.
  static Expected<Launcher> Spawn(const std::string& path);

  // Takes over a child that serves the other end of `control` already.
  static Expected<Launcher> Adopt(UniqueFd control, pid_t pid);

  Launcher(Launcher&&) noexcept;
  Launcher& operator=(Launcher&&) noexcept;
  ~Launcher();

  // Hands the blueprints over. Descriptors named in `spec` may be closed once
  // this returns; at most 249 of them.
  Expected<UniqueFd> CreateSession(const SessionSpec& spec);

  // A set of Weakness bits.
  std::uint32_t weaker() const { return weaker_; }
  // The launcher's process, and a descriptor that becomes readable when it
  // dies.
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  Expected<LauncherStats> Stats();

 private:
  Launcher(UniqueFd control, pid_t pid, UniqueFd pidfd, std::uint32_t weaker);
  void Stop();

  UniqueFd control_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::uint32_t weaker_ = 0;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_LAUNCHER_H_
