#ifndef ASSAY_RUNNER_WORKER_RUN_PROCESS_H_
#define ASSAY_RUNNER_WORKER_RUN_PROCESS_H_

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/error.h"
#include "runner/worker/workshop.h"

namespace assay::worker {

// One assay-run, from its start to its end.
//
// Ownership: owns the child, which is killed and reaped by the destructor;
// with it goes the last copy of the session's socket, and so the run's cells.
// Threads: confined to `executor`.
class RunProcess {
 public:
  // Takes the descriptors of `prepared`. The child reads the plan on fd 3,
  // speaks to the launcher on fd 4, writes events to fd 5, and finds sidecars
  // that run already on fd 7.
  static Expected<std::unique_ptr<RunProcess>> Start(
      boost::asio::any_io_executor executor, const std::string& program,
      PreparedRun prepared);
  virtual ~RunProcess() = default;

  // Receives events in order; the next are read when it has returned.
  using Take =
      std::function<boost::asio::awaitable<void>(std::vector<v1::RunEvent>)>;

  // Reads events until the child has ended. Success: the last one was
  // `finished`. An Error is our own fault (it crashed, garbled its events, or
  // was killed after `limit`), with how it ended and the end of what it wrote
  // to standard error.
  virtual boost::asio::awaitable<Status> Follow(
      Take take, std::chrono::milliseconds limit) = 0;
  // Ends the run at once; Follow then returns.
  virtual void Kill() = 0;
};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_RUN_PROCESS_H_
