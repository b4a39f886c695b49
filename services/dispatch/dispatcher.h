#ifndef ASSAY_SERVICES_DISPATCH_DISPATCHER_H_
#define ASSAY_SERVICES_DISPATCH_DISPATCHER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "assay/runner/v1/lease_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/dispatch/content.h"
#include "services/dispatch/lease_counts.h"
#include "services/dispatch/worker_link.h"
#include "services/dispatch/worker_proof.h"
#include "services/storage/tables/needs.h"

namespace assay::runs {
class RunObserver;
class RunQueue;
}  // namespace assay::runs
namespace assay::workers {
class WorkerBook;
}

namespace assay::dispatch {

struct DispatcherOptions {
  std::chrono::milliseconds heartbeat_interval{2'000};
  // A worker that is silent for so long has lost its leases.
  std::chrono::milliseconds lease_ttl{10'000};
  // The guarantee behind the wake-ups.
  std::chrono::milliseconds sweep_interval{1'000};
  // Added to a plan's run timeout before a run is ended from here.
  std::chrono::milliseconds run_slack{60'000};
  // Told of leases; null: nobody.
  runs::RunObserver* observer = nullptr;
  // Shown to workers, and held against theirs.
  std::string version = "dev";
  // Whether other coordinators serve this store now. Absent: none do.
  std::function<bool()> has_others = {};
  // Absent where no worker has one.
  WorkerCertificates certificates;
};

// Decides which worker executes which run, and takes the reports back.
//
// A queued run is offered to an idle worker at once; there is no polling on
// the path, and a sweep once a second only guarantees what a lost wake-up
// would delay. Order: final, then push, then regrade runs; within a kind the
// assignment with the fewest runs under way, then the oldest. A lease that
// expires or is handed back queues its run again in its old place under a
// higher epoch; the third such loss makes the run ERRORED. A worker's stream
// that breaks does not end its leases: they live until they expire, and the
// reconnecting worker names them again.
//
// A worker that an administrator drained, or that three runs in a row blamed
// (a hand-back as its own fault, an ERRORED end, a run that outlived its
// limits), stays attached and gets no runs until it is resumed. A lease that
// expires blames nobody: a network that fails for a minute must not set every
// worker aside.
//
// Authority is in the store alone: each write names (run, epoch) and is
// refused there when stale, so that several dispatchers can share a store.
//
// Ownership: borrows `queue`, `book` and `clock`. Threads: confined to
// `strand`, which is where every callback runs.
class Dispatcher {
 public:
  Dispatcher(boost::asio::any_io_executor strand, runs::RunQueue& queue,
             workers::WorkerBook& book, const Clock& clock,
             ContentSources content, DispatcherOptions options = {});
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // Takes up the leases that the store holds from before a restart, and starts
  // the sweep. Called once, before workers attach.
  //
  // Where nobody else has served meanwhile, each lease gets a whole term for
  // its worker to come back. Where others have, a worker could have gone to
  // them, so that terms are left as they are, and a lease is taken up when its
  // worker names it here.
  boost::asio::awaitable<Status> Start();

  // A run was queued: offers it to an idle worker (RunFeed::OnQueued calls it).
  // Cheap; call it after the commit, as often as you like.
  void RunQueued();

  // What the sweep does once a second: ends leases that were not renewed, and
  // offers what a lost wake-up left queued.
  void SweepNow();

  // Another coordinator changed a run's state, or a worker's: what is known of
  // them here is compared with the store. The sweep finds both by itself.
  void RunChanged(RunId run);
  void WorkerChanged(std::string name);

  // Grants no more leases and tells workers to finish what they hold; to go on
  // with it at another coordinator where they know one and `elsewhere` says
  // that there is one that grants leases. May be said again.
  void Drain(bool elsewhere = false);
  // Closes every link and ends the sweep. Leases stay in the store.
  void Stop();

  // Gives a worker no more runs (`held_back` says why, in a sentence), or runs
  // again (empty). What it holds it finishes. To be called when the book says
  // so; a worker that attaches later is looked up there.
  void HoldBack(const std::string& name, const std::string& held_back);

  // Ends the streams of a certified worker with `why`; what it holds is given
  // to others, at nobody's cost.
  boost::asio::awaitable<void> Expel(std::string name, Error why);

  struct WorkerInfo {
    std::string name;
    std::string held_back;
    std::int32_t slots = 0;
    std::int32_t busy = 0;
    storage::Needs offer;
    Clock::TimePoint attach_time;
    // 0 unless it is off by more than two seconds.
    std::chrono::microseconds clock_ahead{0};
  };
  LeaseCounts counts() const;
  // Attached processes of workers, by name.
  std::vector<WorkerInfo> Workers() const;
  // Live leases of this coordinator's workers.
  std::size_t LeaseCount() const;

  // The stream side (LeaseService): one session for each attached stream.
  using SessionId = std::uint64_t;
  SessionId Open(std::shared_ptr<WorkerLink> link, WorkerProof proof = {});
  // Handles one message of a session; the next must wait until this returns.
  // Breaches of the protocol close the link.
  boost::asio::awaitable<void> Handle(SessionId session,
                                      runner::v1::AttachRequest request);
  void Closed(SessionId session);

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_DISPATCHER_H_
