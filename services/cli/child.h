#ifndef ASSAY_SERVICES_CLI_CHILD_H_
#define ASSAY_SERVICES_CLI_CHILD_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "proto/base/error.h"

namespace assay::cli {

using Environment = std::vector<std::pair<std::string, std::string>>;

// How a child is connected.
struct ChildOptions {
  std::vector<std::string> command;
  // Added to ours.
  Environment environment;
  // -1: inherited.
  int output = -1;
  int error = -1;
  // In a process group of its own, so that Ctrl-C reaches us only; and it gets
  // SIGTERM when we die.
  bool supervised = false;
};

// Starts `options.command`, found in PATH. Errors: kNotFound with the name when
// there is no such program; never a child that runs our code.
Expected<pid_t> Start(const ChildOptions& options);

// Waits for it; 128 + signal when a signal ended it.
int Wait(pid_t pid);
int ExitCodeFromStatus(int wait_status);

struct Captured {
  int exit_code = 0;
  // Output and error together, at most 64 KiB, without the last line break.
  std::string output;
};
Expected<Captured> Capture(const std::vector<std::string>& command,
                           const Environment& environment = {});

// `name` beside the running program, which is where a build and a package put
// assay's programs; else the bare name for PATH.
std::string SiblingProgram(const std::string& name);

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_CHILD_H_
