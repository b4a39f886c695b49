#ifndef ASSAY_RUNNER_WORKER_LEASED_RUN_H_
#define ASSAY_RUNNER_WORKER_LEASED_RUN_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/runner/v1/lease_service.pb.h"
#include "proto/base/error.h"
#include "runner/worker/fetcher.h"
#include "runner/worker/outbox.h"
#include "runner/worker/run_process.h"
#include "runner/worker/workshop.h"

namespace assay::worker {

// What a leased run is executed with.
struct RunTools {
  boost::asio::any_io_executor executor;
  // Where blocking work is done.
  boost::asio::any_io_executor pool;
  Workshop* workshop = nullptr;
  Fetcher* fetcher = nullptr;
  std::string run_program;
};

// One lease, from its arrival to its last acknowledged event.
//
// Threads: confined to `tools.executor`.
class LeasedRun : public std::enable_shared_from_this<LeasedRun> {
 public:
  // `on_events` is called whenever the outbox has something new.
  LeasedRun(RunTools tools, runner::v1::AttachResponse::Lease lease,
            std::function<void()> on_events);

  const std::string& run() const { return lease_.run(); }
  std::uint64_t epoch() const { return lease_.epoch(); }
  Outbox& outbox() { return outbox_; }

  // Prepares and executes the run. Success: the outbox ends with `finished`.
  // An Error is our own fault, for the run to be handed back.
  static boost::asio::awaitable<Status> Execute(
      std::shared_ptr<LeasedRun> self);
  // Ends it at once; Execute then returns kCancelled.
  void Abort();
  void Acknowledge(std::int64_t next_offset);
  // What was done for the run so far and not taken yet, for the operator.
  std::vector<otlp::v1::Span> TakeSpans() { return std::exchange(spans_, {}); }

  // Set once the run is being handed back.
  struct Return {
    std::string reason;
    bool fault = false;
  };
  std::optional<Return> returned;

 private:
  Expected<RunOrder> MakeOrder(const std::filesystem::path& plan,
                               const std::filesystem::path& pack) const;
  static boost::asio::awaitable<Status> Prepare(
      std::shared_ptr<LeasedRun> self, std::optional<PreparedRun>& prepared);
  static boost::asio::awaitable<void> Take(std::shared_ptr<LeasedRun> self,
                                           std::vector<v1::RunEvent> events);
  void Tell(std::vector<v1::RunEvent> events);
  // Something that began at `begin`, in nanoseconds, has just ended.
  void AddSpan(const char* name, std::uint64_t begin, bool ok);

  const RunTools tools_;
  const runner::v1::AttachResponse::Lease lease_;
  const std::function<void()> on_events_;
  Outbox outbox_;
  std::vector<otlp::v1::Span> spans_;
  std::unique_ptr<RunProcess> process_;
  std::chrono::milliseconds limit_{0};
  bool aborted_ = false;
  boost::asio::steady_timer room_;  // cancelled when the outbox has room
};

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_LEASED_RUN_H_
