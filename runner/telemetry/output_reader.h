#ifndef ASSAY_RUNNER_TELEMETRY_OUTPUT_READER_H_
#define ASSAY_RUNNER_TELEMETRY_OUTPUT_READER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "runner/telemetry/log_channel.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::telemetry {

// Reads one output pipe of a process into a log channel, as fast as it comes,
// so that the process never waits for us; keeps the beginning for assertions
// and the end for messages.
//
// Ownership: owns the pipe; borrows the channel, which outlives it.
// Threads: confined to the run's thread.
class OutputReader {
 public:
  static constexpr std::size_t kTail = 4096;

  // `keep`: bytes that text() holds at most.
  OutputReader(boost::asio::any_io_executor executor, sandbox::UniqueFd pipe,
               LogChannel& channel, std::size_t keep);
  // What is still in the pipe is lost.
  ~OutputReader();
  OutputReader(const OutputReader&) = delete;

  // Reads what is in the pipe now.
  void Drain();
  // Everything so far, secrets included, up to `keep` bytes.
  const std::string& text() const;
  // The last bytes, at most kTail.
  std::string Tail() const;
  // Waits until text() holds `words`; false when the pipe ended or the time is
  // up before.
  boost::asio::awaitable<bool> WaitFor(
      std::string words, std::chrono::steady_clock::time_point deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_OUTPUT_READER_H_
