#ifndef ASSAY_RUNNER_TELEMETRY_LOG_CHANNEL_H_
#define ASSAY_RUNNER_TELEMETRY_LOG_CHANNEL_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runner/telemetry/event_sink.h"

namespace assay::telemetry {

// One log stream of a run, as events: pieces are gathered for a moment so that
// a program which writes byte by byte does not make an event of each, and the
// whole is cut at a limit.
//
// Ownership: borrows the sink.
// Threads: confined to the run's thread.
class LogChannel {
 public:
  // `limit`: bytes after which the rest is dropped and said to be.
  LogChannel(boost::asio::any_io_executor executor, EventSink& sink,
             std::string stream, std::int64_t limit);
  ~LogChannel();

  void Append(std::string_view bytes);
  // Hands on what was gathered.
  void Flush();
  // What is appended from now on was written while a hidden check ran.
  void SetHidden(bool hidden);
  // The last event of the stream.
  void End();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_LOG_CHANNEL_H_
