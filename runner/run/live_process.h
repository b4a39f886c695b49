#ifndef ASSAY_RUNNER_RUN_LIVE_PROCESS_H_
#define ASSAY_RUNNER_RUN_LIVE_PROCESS_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "runner/telemetry/log_channel.h"
#include "runner/telemetry/output_reader.h"
#include "sandbox/cell/session.h"

namespace assay::run {

// A process of a cell on the event loop: its output goes to a log channel, its
// end can be waited for.
//
// Ownership: owns the process's descriptors; borrows the channel. Dropping it
// does not end the process.
// Threads: confined to the run's thread.
class LiveProcess {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // `keep`: bytes of each output that are kept for assertions.
  LiveProcess(boost::asio::any_io_executor executor, sandbox::Process process,
              telemetry::LogChannel& channel, std::size_t keep);
  ~LiveProcess();

  telemetry::OutputReader& out() { return *out_; }
  telemetry::OutputReader& err() { return *err_; }
  // How it ended, if it has as of now.
  const std::optional<sandbox::Termination>& ended() const;
  // True when it has ended by the deadline.
  boost::asio::awaitable<bool> WaitEnd(Deadline deadline);
  Status Kill();
  // To the first process only.
  Status Signal(int signal);
  // The last lines that it wrote, on one line: "a | b | c".
  std::string LastWords();

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::unique_ptr<telemetry::OutputReader> out_;
  std::unique_ptr<telemetry::OutputReader> err_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_LIVE_PROCESS_H_
