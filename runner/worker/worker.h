#ifndef ASSAY_RUNNER_WORKER_WORKER_H_
#define ASSAY_RUNNER_WORKER_WORKER_H_

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proto/base/error.h"
#include "runner/worker/workshop.h"

namespace assay::worker {

struct WorkerOptions {
  // host:port of a coordinator's gRPC side.
  std::string coordinator;
  // Read at each attempt to attach, so that a token can be renewed. Empty: TLS
  // and the identity.
  std::string token_file;
  // Certificates (PEM) that coordinators are trusted by; empty: the system's.
  std::string ca_file;
  // Key and certificate (see Identity); written anew when it is renewed.
  std::string identity_file;
  // What the machine is called in lists and by `assay worker drain`; empty: a
  // random id.
  std::string name;
  // Runs at once.
  int slots = 1;
  // What they may use together.
  int cores = 1;
  std::int64_t memory_bytes = 0;
  // See Hello.
  std::string pool;
  std::map<std::string, std::string> labels;
  std::string unfit;
  std::string data_dir;
  // The program assay-run.
  std::string run_program;
  std::string version = "dev";
  // What runs get to finish after SIGTERM before they are handed back.
  std::chrono::seconds drain_timeout{30};
};

// Takes leases from a coordinator, has each prepared and executed, and reports.
//
// A stream that breaks disturbs no run: events are kept, and sent again over
// the next stream from the last acknowledged one. A lease that is revoked ends
// its run at once. What goes wrong on our side is handed back.
//
// Ownership: borrows `workshop`. Threads: confined to `executor`, but for a
// pool that prepares runs.
class Worker {
 public:
  struct Events {
    // Attached for the first time.
    std::function<void()> on_ready;
    // Nothing is left to do: after Drain or Stop, or (with an Error) when the
    // worker cannot go on.
    std::function<void(Status)> on_end;
  };

  static Expected<std::unique_ptr<Worker>> Make(
      boost::asio::any_io_executor executor, Workshop& workshop,
      WorkerOptions options, Events events);
  virtual ~Worker() = default;

  virtual void Start() = 0;
  // Takes no more runs, and ends when the last one has; after the timeout the
  // rest is handed back.
  virtual void Drain() = 0;
  // Hands everything back and ends.
  virtual void Stop() = 0;
  // The launcher is dead: everything is handed back as our fault.
  virtual void Fail(Error error) = 0;
};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_WORKER_H_
