#ifndef ASSAY_SERVICES_RUNS_RUN_QUEUE_H_
#define ASSAY_SERVICES_RUNS_RUN_QUEUE_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/runs/placement.h"
#include "services/runs/plan_cache.h"
#include "services/runs/run_feed.h"
#include "services/runs/run_observer.h"
#include "services/storage/store.h"

namespace assay::runs {

// The dispatcher's side of runs: leases, reports, losses. Each call is one
// transaction; watchers hear of it after the commit.
//
// Ownership: borrows all that it is made of.
// Threads: confined to the coordinator's strand.
// Errors: kAborted for a stale (run, epoch): the worker's lease is gone.
class RunQueue {
 public:
  RunQueue(storage::Store& store, PlanCache& plans, RunFeed& feed,
           const Clock& clock);
  // Null: nobody. Must outlive this.
  void Observe(RunObserver* observer) { observer_ = observer; }

  // The run whose turn it is among those that fit one of `rooms`, leased to
  // that worker under a new epoch; nothing where there is none.
  Async<std::optional<storage::RunRecord>> TakeNext(
      std::vector<Room> rooms, std::chrono::microseconds ttl);
  Async<Clock::TimePoint> Renew(RunId run, std::uint64_t epoch,
                                std::chrono::microseconds ttl);

  struct Report {
    // What the worker is acknowledged: its next event has this number.
    std::int64_t next_offset = 1;
    // The batch held the worker's last word: the run is over, and scored.
    bool finished = false;
  };
  // Stores a worker's events, `first_offset` numbered from 1 within the epoch.
  // Repeats are absorbed; after a gap nothing is stored and `next_offset` says
  // what was expected. A `finished` event ends the run in the same
  // transaction, with the score of its verdicts. A different verdict for a
  // check that has one is refused (kFailedPrecondition) and audited.
  //
  // Of `lease`, its epoch and what never changes is read.
  Async<Report> Append(storage::RunRecord lease, std::int64_t first_offset,
                       std::vector<v1::RunEvent> events);

  // The worker cannot go on. `fault`: counts as an infrastructure loss.
  Async<void> HandBack(RunId run, std::uint64_t epoch, std::string reason,
                       bool fault);
  // Queues again what was leased and not renewed in time; answers with how it
  // stands now (QUEUED, or FINISHED as ERRORED after the last loss).
  Async<std::vector<storage::RunRecord>> ExpireLeases();
  // Ends a run from here: it outlived its limits and slack.
  Async<void> Abandon(RunId run, std::uint64_t epoch, v1::Run::Outcome outcome,
                      std::string reason);

  // Leases that are live, also those of before a restart.
  Async<std::vector<storage::RunRecord>> ListRunning();
  Async<std::optional<Clock::TimePoint>> NextExpiry();
  Async<storage::RunRecord> Get(RunId run);
  Async<bool> AnyQueued();

 private:
  storage::Store& store_;
  PlanCache& plans_;
  RunFeed& feed_;
  const Clock& clock_;
  RunObserver* observer_ = nullptr;
  // Hints: where everything was queued that the last TakeNext found, and
  // whether its run could run beside any number of its attempt's.
  std::string only_lane_;
  bool unlimited_ = false;
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_RUN_QUEUE_H_
