#ifndef ASSAY_SANDBOX_CELL_TERMINATION_H_
#define ASSAY_SANDBOX_CELL_TERMINATION_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace assay::sandbox {

// The ways a process in a cell can end. All but SetupFault are the doing of the
// program (or of whoever asked for a kill: that is kSignalled 9).
struct Exited {
  int code = 0;
  bool operator==(const Exited&) const = default;
};
struct Signalled {
  int signal = 0;
  bool operator==(const Signalled&) const = default;
};
struct WallTimeout {
  bool operator==(const WallTimeout&) const = default;
};
struct CpuTimeout {
  bool operator==(const CpuTimeout&) const = default;
};
// The kernel found the cell at its memory limit with nothing left to reclaim.
// Told by the cgroup's counter: a self-sent SIGKILL is Signalled{9}.
struct OutOfMemory {
  bool operator==(const OutOfMemory&) const = default;
};
// Killed by Process::Kill(KillReason::kOutputLimit).
struct OutputLimit {
  bool operator==(const OutputLimit&) const = default;
};

// What the launcher was doing when a cell or process could not be set up.
enum class SetupStep : std::uint8_t {
  kNone,
  kClone,
  kIdMap,
  kCgroup,
  kVolume,
  kSource,
  kMount,
  kOverlay,
  kProc,
  kDev,
  kPivot,
  kLoopback,
  kHostname,
  kNamespaces,
  kPipes,
  kIdentity,
  kRlimit,
  kCapabilities,
  kWorkingDirectory,
  kSeccomp,
  kWriteFence,
  // The program: error_number ENOENT is "not found", EACCES "not executable".
  kExec,
  kLauncherGone,
};
std::string_view SetupStepName(SetupStep step);

// Ours to answer for, but for kExec and kWorkingDirectory, which say that the
// command named something that is not there.
struct SetupFault {
  SetupStep step = SetupStep::kNone;
  int error_number = 0;
  bool operator==(const SetupFault&) const = default;
};

using Ending = std::variant<Exited, Signalled, WallTimeout, CpuTimeout,
                            OutOfMemory, OutputLimit, SetupFault>;

// What a process used, with everything it started.
struct Usage {
  std::chrono::nanoseconds wall{0};
  std::chrono::nanoseconds cpu_user{0};
  std::chrono::nanoseconds cpu_system{0};
  // Of the whole cell, so far; 0 where the host cannot tell.
  std::int64_t memory_peak_bytes = 0;
  std::int32_t pids_peak = 0;
};

// How a process ended. Data, never an Error.
struct Termination {
  Ending ending;
  Usage usage;

  bool Succeeded() const { return ending == Ending(Exited{0}); }
};

// "exited", "signalled", "wall_timeout", "cpu_timeout", "out_of_memory",
// "output_limit", "setup_fault": the words of JSON results.
std::string_view EndingName(const Ending& ending);
// A sentence for people: "exited with code 3", "killed by signal 11 (SIGSEGV)",
// "stopped at its wall limit", "could not be set up: exec: No such file...".
std::string Describe(const Ending& ending);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_CELL_TERMINATION_H_
