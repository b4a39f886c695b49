#ifndef ASSAY_SERVICES_DISPATCH_DISPATCHER_STATE_H_
#define ASSAY_SERVICES_DISPATCH_DISPATCHER_STATE_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "services/dispatch/dispatcher.h"
#include "services/dispatch/roster.h"
#include "services/runs/run_queue.h"
#include "services/workers/worker_book.h"

namespace assay::dispatch {

// What the Dispatcher consists of. Its coroutines take `self` so that whoever
// waits for the store keeps the state alive.
//
// After each co_await the roster may have changed: leases and attachments are
// looked up again, never kept.
class Dispatcher::State : public std::enable_shared_from_this<State> {
 public:
  using Self = std::shared_ptr<State>;
  using Attach = runner::v1::AttachRequest;
  using Task = boost::asio::awaitable<void>;

  State(boost::asio::any_io_executor strand, runs::RunQueue& queue,
        workers::WorkerBook& book, const Clock& clock, ContentSources content,
        DispatcherOptions options);

  // dispatcher.cc
  static boost::asio::awaitable<Status> Start(Self self);
  static Task Sweep(Self self);
  static Task ExpireSilent(Self self);
  // Runs whose plan or commit cannot be had for now, before their leases
  // expire: that would count as a loss.
  static Task PutBackUnprepared(Self self);
  void Spawn(Task task);
  void CloseSilentLinks();

  // neighbours.cc: what other coordinators do.
  bool HasOthers() const { return options.has_others && options.has_others(); }
  static Task CheckLease(Self self, RunId run);
  // Leases whose workers are not here may have gone on, or ended, elsewhere.
  static Task ForgetStrays(Self self);
  static Task CheckStanding(Self self, std::string name);
  static Task CheckStandings(Self self);

  // attaching.cc
  static Task Handle(Self self, std::uint64_t session, Attach request);
  static Task Hello(Self self, std::uint64_t session, Attach::Hello hello);
  static Task Heartbeat(Self self, std::uint64_t session,
                        Attach::Heartbeat heartbeat);
  static Task TakeUpHeld(Self self, std::uint64_t session,
                         std::vector<Attach::Held> held);
  // Leases that another coordinator gave this worker.
  static Task AdoptOf(Self self, WorkerId worker);
  static Task AdoptUnknown(Self self, const std::vector<Attach::Held>& held);
  static Task Fetch(Self self, std::uint64_t session, Attach::Fetch fetch);
  static Task Goodbye(Self self, std::uint64_t session);

  // granting.cc
  void Offer();
  static Task Grant(Self self);
  static Task SendLease(Self self, RunId run, std::uint64_t epoch);
  // Makes sure that the lease's plan (and pack) are at hand, as after a restart
  // they are not. A lease that has ended meanwhile is no error.
  static boost::asio::awaitable<Status> LoadPlan(Self self, RunId run,
                                                 std::uint64_t epoch);
  static boost::asio::awaitable<Status> LoadContent(Self self, RunId run,
                                                    std::uint64_t epoch);
  // How long a lease that is known from now on may still go on.
  std::chrono::milliseconds TimeLeft(const storage::RunRecord& run,
                                     std::chrono::milliseconds limit) const;
  // Finds out when the leases end that were given before a restart, or by
  // another coordinator.
  static Task MeasureAdopted(Self self);

  // reporting.cc
  static Task Report(Self self, std::uint64_t session, Attach::Report report);
  static Task Refused(Self self, std::uint64_t session, RunId run,
                      std::uint64_t epoch, Error error);
  // `cause` counts it, once it has happened; `fault` counts as a loss.
  using Cause = std::uint64_t LeaseCounts::*;
  static Task HandBack(Self self, RunId run, std::uint64_t epoch,
                       std::string reason, Cause cause, bool fault);
  // All that a worker holds that is gone for good, at nobody's cost.
  static Task TakeBack(Self self, WorkerId worker, std::string reason);

  // standing.cc
  // Looks a worker that said hello up in the book, and holds it back if that
  // says so. False: the stream was closed, since the book could not be read.
  static boost::asio::awaitable<bool> LookUp(Self self, std::uint64_t session,
                                             Attach::Hello hello);
  void SetStanding(const std::string& name, const std::string& held_back);
  // A run ended by its worker's fault, or otherwise. Both return at once.
  void Blame(const RunId& run, std::uint64_t epoch, std::string fault);
  void Praise(std::uint64_t session);
  static Task WriteBlame(Self self, std::string name, RunId run,
                         std::string fault);
  static Task WritePraise(Self self, std::string name);

  // proving.cc
  // Whether what a worker says of itself goes with what it has proven, and it
  // is of a version that we understand.
  Status Prove(const Attachment& attachment, const Attach::Hello& hello) const;
  static WorkerId IdOf(const Attachment& attachment,
                       const Attach::Hello& hello);
  // False: its certificate counts no more, and the stream was closed.
  static boost::asio::awaitable<bool> StillGood(Self self,
                                                std::uint64_t session);
  static Task Expel(Self self, std::string name, Error why);
  static Task Renew(Self self, std::uint64_t session, Attach::Renew renew);
  void TakeClock(std::uint64_t session, const Attach::Heartbeat& heartbeat);

  // The lease, when it is live and this session's worker holds it.
  LiveLease* Owned(std::uint64_t session, const RunId& run,
                   std::uint64_t epoch);
  // A lease has been lost in the store: forgets it, and tells the worker that
  // has it to stop.
  void Lost(const RunId& run, const std::string& reason);
  void Revoke(std::uint64_t session, const RunId& run, std::uint64_t epoch,
              std::string reason);
  runner::v1::AttachResponse DrainMessage() const;
  void SendTo(std::uint64_t session, runner::v1::AttachResponse response);
  void SendAck(std::uint64_t session, const RunId& run, std::uint64_t epoch,
               std::int64_t next_offset);

  const boost::asio::any_io_executor strand;
  runs::RunQueue& queue;
  workers::WorkerBook& book;
  const Clock& clock;
  const ContentSources content;
  const DispatcherOptions options;

  Roster roster;
  boost::asio::steady_timer sweep_timer;
  LeaseCounts counts;
  bool draining = false;
  // While draining: another coordinator gives out runs.
  bool elsewhere = false;
  bool stopped = false;
  // One Grant runs at a time; what is queued meanwhile makes it look again.
  bool granting = false;
  bool offer_again = false;
  // The last look found a run: the next one need not ask whether any waits.
  bool expects_queued = false;
  // One MeasureAdopted at a time.
  bool measuring = false;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_DISPATCHER_STATE_H_
