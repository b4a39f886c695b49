#ifndef ASSAY_SANDBOX_MAIN_RUN_COMMAND_H_
#define ASSAY_SANDBOX_MAIN_RUN_COMMAND_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/error.h"
#include "sandbox/cell/launcher.h"
#include "sandbox/cell/session.h"
#include "sandbox/egress/proxy.h"
#include "sandbox/main/run_options.h"

namespace assay::sandbox {

struct StreamResult {
  // Written by the command, as far as it was read.
  std::int64_t bytes = 0;
  bool truncated = false;
  // errno, if our own stream did not take what was read. A reader that has seen
  // enough (EPIPE) is none.
  int write_error = 0;
};

struct RunResult {
  Termination termination;
  CellStats stats;
  StreamResult out;
  StreamResult err;
  // Connections through the egress proxy: the first kMostConnections, and the
  // number of all.
  static constexpr std::size_t kMostConnections = 1000;
  std::vector<EgressRecord> egress;
  std::int64_t egress_connections = 0;
  // Weakness bits of the cell.
  std::uint32_t weaker = 0;
};

// Where the command's streams lead.
struct Streams {
  UniqueFd in, out, err;
};

// Runs the command in a cell and passes its streams on. Errors are ours: the
// command did not run.
Expected<RunResult> RunCommand(const RunOptions& options);

// The same in `cell`, with this process as its launcher: for commands that need
// nothing of this machine beside their cell.
Expected<RunResult> RunAlone(const RunOptions& options, const CellSpec& cell,
                             Streams streams);

// A command whose output was cut has met that limit, also if it ended by itself
// before it could be killed for it: or its status would be a matter of luck.
void CountCutOutput(RunResult& result);

// Those of the weaknesses that are limits which a caller can ask for.
inline constexpr std::uint32_t kLimitWeaknesses =
    static_cast<std::uint32_t>(Weakness::kMemory) |
    static_cast<std::uint32_t>(Weakness::kPids) |
    static_cast<std::uint32_t>(Weakness::kCores) |
    static_cast<std::uint32_t>(Weakness::kCpuTime) |
    static_cast<std::uint32_t>(Weakness::kIo);

// An Error if `weaker` names limits that were asked for, that this host does
// not enforce, and that are not `allowed`.
Status RefuseWeaker(std::uint32_t weaker, std::uint32_t allowed);

// The exit status that the man page promises.
int ExitStatus(const Ending& ending);
// One line of JSON, as the man page describes it.
std::string ResultJson(const RunResult& result);
// The same for a run that did not come about.
std::string FaultJson(const Error& error);
// What RunCommand would do: mounts, namespaces, limits, filter.
std::string Explain(const RunOptions& options);
// The part of it about mounts, a line for each: where, flags, what.
std::string ExplainMounts(const RunOptions& options);

// Rules of completion for bash (and zsh, after bashcompinit), of the options
// that a help text names.
std::string Completion(std::string_view help);

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_MAIN_RUN_COMMAND_H_
