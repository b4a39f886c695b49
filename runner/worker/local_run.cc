#include "runner/worker/local_run.h"

#include <google/protobuf/util/time_util.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <utility>

#include "runner/worker/event_parser.h"
#include "runner/worker/phase_events.h"
#include "runner/worker/run_process.h"

namespace assay::worker {
namespace {

namespace asio = boost::asio;

// Writes events with the numbers that a store would give them.
class EventWriter {
 public:
  explicit EventWriter(int fd) : fd_(fd) {}

  Status Write(std::vector<v1::RunEvent> events) {
    std::string bytes;
    for (v1::RunEvent& event : events) {
      event.set_sequence(++sequence_);
      event.set_epoch(1);
      bytes += SerializeDelimited(event);
    }
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const ssize_t written = write(fd_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError("write events", errno);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
  const int fd_;
  std::int64_t sequence_ = 0;
};

asio::awaitable<void> Take(EventWriter* writer, RunProcess* process,
                           std::vector<v1::RunEvent> events) {
  std::erase_if(events, StartsMaterialise);
  // Nobody reads any more.
  if (!writer->Write(std::move(events))) process->Kill();
  co_return;
}

}  // namespace

Status RunLocally(Workshop& workshop, const std::string& run_program,
                  const RunOrder& order, int output_fd) {
  // A reader that goes away is an error of a write, not the end of us: cells
  // are to be taken down in order.
  signal(SIGPIPE, SIG_IGN);
  EventWriter writer(output_fd);
  ASSAY_RETURN_IF_ERROR(writer.Write({MaterialiseStarted()}));
  auto prepared = workshop.Prepare(order);
  if (!prepared && prepared.error().commits_fault) {
    const std::string& reason = prepared.error().error.message;
    return writer.Write({MaterialiseFailed(reason), BuildFailed(reason)});
  }
  if (!prepared) return std::unexpected(prepared.error().error);

  asio::io_context loop;
  // From here on an interrupt waits for its handler: whoever sees the run's
  // process may send one at once.
  asio::signal_set signals(loop, SIGINT, SIGTERM, SIGHUP);
  ASSAY_ASSIGN_OR_RETURN(const auto process,
                         RunProcess::Start(loop.get_executor(), run_program,
                                           *std::move(prepared)));
  bool interrupted = false;
  signals.async_wait([&](boost::system::error_code cancelled, int) {
    if (cancelled) return;
    interrupted = true;
    process->Kill();
  });
  const auto limit = std::chrono::milliseconds(
      google::protobuf::util::TimeUtil::DurationToMilliseconds(
          order.plan.limits().run_timeout()) +
      30'000);
  Status followed;
  asio::co_spawn(loop,
                 process->Follow(
                     [&](std::vector<v1::RunEvent> events) {
                       return Take(&writer, process.get(), std::move(events));
                     },
                     limit),
                 [&](std::exception_ptr bug, Status status) {
                   if (bug) std::rethrow_exception(bug);
                   followed = std::move(status);
                   signals.cancel();
                 });
  loop.run();
  if (interrupted) return Fail(Code::kCancelled, "interrupted");
  return followed;
}

}  // namespace assay::worker
