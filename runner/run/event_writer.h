#ifndef ASSAY_RUNNER_RUN_EVENT_WRITER_H_
#define ASSAY_RUNNER_RUN_EVENT_WRITER_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>

#include "proto/base/error.h"
#include "runner/telemetry/event_sink.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::run {

// Writes events to a pipe or socket, each after its length as a varint, and
// stamps them with time and epoch.
//
// Ownership: owns the descriptor.
// Threads: confined to the run's thread. Emit queues; once a reader is kBehind
// bytes late, it waits for it, so that memory stays bounded.
class EventWriter final : public telemetry::EventSink {
 public:
  static constexpr std::size_t kBehind = 32 << 20;

  EventWriter(boost::asio::any_io_executor executor, sandbox::UniqueFd fd,
              std::uint64_t epoch);
  ~EventWriter() override;

  void Emit(assay::v1::RunEvent event) override;
  // Writes out what is queued, blocking. UNAVAILABLE: the reader is gone.
  Status Flush();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_EVENT_WRITER_H_
