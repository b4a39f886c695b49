#ifndef ASSAY_SERVICES_CLI_SUPERVISOR_H_
#define ASSAY_SERVICES_CLI_SUPERVISOR_H_

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <ios>
#include <string>
#include <vector>

#include "proto/base/error.h"

namespace assay::cli {

// Starts programs, tells when one dies, and leaves none behind: not when asked
// to stop, not when one of them fails, not their own children either. If we are
// killed, the programs get SIGTERM from the kernel.
//
// Each program writes its log to standard error, which goes to a file, and one
// line to standard output when it is ready.
//
// Threads: one, which must live as long as the programs. Blocks SIGINT,
// SIGTERM, SIGHUP and SIGCHLD for the process: make it before any other thread.
class Supervisor {
 public:
  explicit Supervisor(std::filesystem::path log_dir);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Starts `command` and waits for its ready line, which is returned.
  //
  // Errors: kInternal when it ends or says nothing for `timeout`, with the end
  // of its log; kCancelled when we were asked to stop meanwhile.
  Expected<std::string> Start(const std::string& name,
                              std::vector<std::string> command,
                              std::chrono::seconds timeout);

  // Waits until we are asked to stop (success) or a program ends (kInternal,
  // with its name, how it ended and the end of its log).
  Status WaitForEnd();

  // Stops the programs in the reverse order of their start: SIGTERM, and
  // SIGKILL for what does not end within `grace` or when asked to stop again.
  void Stop(std::chrono::seconds grace);

 private:
  struct Program {
    std::string name;
    pid_t pid = 0;
    // Kept open, so that a later line does not end the program.
    int output = -1;
    // How long its log was before: what earlier ones wrote explains nothing.
    std::streamoff log_begin = 0;
    bool running = true;
    int exit_code = 0;
  };

  // Reads what signals say: true when one asks us to stop.
  bool TakeSignals();
  void Reap();
  bool WaitForExit(Program& program, std::chrono::seconds grace);
  Error Died(const Program& program) const;
  std::string EndOfLog(const Program& program) const;
  std::filesystem::path LogFile(const std::string& name) const;

  std::filesystem::path log_dir_;
  std::vector<Program> programs_;
  int signals_ = -1;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SUPERVISOR_H_
