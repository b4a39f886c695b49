#ifndef ASSAY_RUNNER_RUN_QUIET_PROCESS_H_
#define ASSAY_RUNNER_RUN_QUIET_PROCESS_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "runner/run/live_process.h"
#include "runner/telemetry/log_channel.h"

namespace assay::run {

// A log that goes nowhere, for what runs in a cell and is nobody's to read.
class SilentLog {
 public:
  explicit SilentLog(boost::asio::any_io_executor executor)
      : channel_(std::move(executor), sink_, "", 0) {}
  telemetry::LogChannel& channel() { return channel_; }

 private:
  class Sink final : public telemetry::EventSink {
    void Emit(assay::v1::RunEvent) override {}
  };
  Sink sink_;
  telemetry::LogChannel channel_;
};

// A process with such a log.
class QuietProcess {
 public:
  QuietProcess(const boost::asio::any_io_executor& executor,
               sandbox::Process process, std::size_t keep)
      : log_(executor),
        live_(executor, std::move(process), log_.channel(), keep) {}
  LiveProcess& live() { return live_; }

 private:
  SilentLog log_;
  LiveProcess live_;
};

// Runs one process of ours in a cell to its end; what went wrong, as a
// sentence, if it did not succeed. What it writes is dropped.
boost::asio::awaitable<Expected<std::string>> RunQuietly(
    boost::asio::any_io_executor executor, sandbox::Cell& cell,
    std::uint32_t process, LiveProcess::Deadline deadline);

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_QUIET_PROCESS_H_
