#ifndef ASSAY_PROTO_BASE_FAULT_POINT_H_
#define ASSAY_PROTO_BASE_FAULT_POINT_H_

#include <algorithm>
#include <atomic>
#include <string_view>

#include "proto/base/error.h"

// Named moments at which a test may have the program killed, to see what a
// crash there leaves behind. They are part of what people run, so that tests
// kill exactly that, and do nothing unless the environment of a program that
// calls ArmFaultPoint has ASSAY_FAULT=name:n: its n-th coming there is then
// its last (SIGKILL). With :stop behind it, it stops there (SIGSTOP), until it
// is told to go on.
//
// A lasting fault has no moment: ASSAY_FAULT=name, and the program is like that
// from its start.
namespace assay {

inline constexpr std::string_view kFaultPoints[] = {
    // A push, in this order.
    "push.read",       // received as a whole, recorded nowhere
    "push.intent",     // recorded, git not started
    "push.received",   // git has its objects and asks
    "push.judged",     // found good, git not told yet
    "push.landed",     // the ref has moved, the store does not know
    "push.kept",       // what it brought is where other nodes find it
    "push.confirmed",  // the store knows, the client does not
    "push.reported",   // the client knows
    "push.described",  // its commit was read for display
    // What is handed in, and the refs that follow from it.
    "submit.stored",    // by the candidate, row and run written
    "deadline.frozen",  // by a deadline, row and run written
    "ref.drafted",      // written, without its name
    "ref.linked",       // with its name, not flushed
    // Every write of the store.
    "store.executed",   // before the commit
    "store.committed",  // before anybody is told
    // Assignments and attempts.
    "template.packed",    // objects written, not in its place
    "template.kept",      // in its place, not flushed
    "repository.begun",   // directories without a HEAD
    "repository.linked",  // whole, not flushed
    "repository.made",    // flushed, its attempt has not started
    "attempt.started",    // recorded, not answered
    "blob.drafted",       // written, without its name
    "blob.renamed",       // with its name, not flushed
    // Starting again after all that.
    "start.opened",      // nothing repaired
    "settle.tidied",     // locks and leftovers of a push removed
    "settle.confirmed",  // a push that was left open has its end
    "start.settled",     // about to serve
    // A run in the coordinator.
    "lease.granted",      // a worker's by the store, who does not know
    "lease.sent",         // told
    "lease.expired",      // its worker fell silent: queued again
    "heartbeat.renewed",  // longer, its worker does not know
    "report.read",        // events came, and are stored nowhere
    "report.stored",      // their worker does not know
    "verdict.stored",     // the run has ended, its worker does not know
    "handback.stored",    // queued again, its worker does not know
    // The same in assay-runner.
    "worker.leased",        // heard of, nothing fetched
    "worker.cached",        // content fetched, without its name
    "worker.prepared",      // cells described to the launcher
    "worker.spawned",       // assay-run has been started
    "worker.reporting",     // events about to be sent
    "worker.acknowledged",  // events known to be durable
    "worker.beating",       // a heartbeat about to be sent
    "worker.returning",     // a hand-back about to be sent
    // In assay-run.
    "run.begun",     // input read
    "run.confined",  // no cell yet
    "run.telling",   // an event about to be written
    "run.told",      // the last word written
    // In assay-launcher.
    "launcher.session",    // made, not answered
    "launcher.called",     // by an assay-run, nothing done
    "launcher.answering",  // done, not answered
};

inline constexpr std::string_view kLastingFaults[] = {
    // What others were to tell of is not looked for: what no note brings, and
    // no stream, never comes.
    "sweeps.off",
};

// An index into kFaultPoints; only names that stand there compile.
class FaultPoint {
 public:
  consteval FaultPoint(const char* name)  // NOLINT: a name is one
      : index_(static_cast<int>(std::ranges::find(kFaultPoints, name) -
                                std::begin(kFaultPoints))) {
    if (index_ == std::size(kFaultPoints)) throw "no such fault point";
  }
  int index() const { return index_; }

 private:
  int index_;
};

// The same for kLastingFaults.
class LastingFault {
 public:
  consteval LastingFault(const char* name)  // NOLINT: a name is one
      : index_(static_cast<int>(std::ranges::find(kLastingFaults, name) -
                                std::begin(kLastingFaults))) {
    if (index_ == std::size(kLastingFaults)) throw "no such lasting fault";
  }
  int index() const { return index_; }

 private:
  int index_;
};

namespace internal {
inline std::atomic<int> armed_fault_point{-1};
inline std::atomic<int> lasting_fault{-1};
void ComeToArmedFaultPoint();
}  // namespace internal

// Reads ASSAY_FAULT. kInvalidArgument: it names no point, or a point and no
// number.
Status ArmFaultPoint();

// Costs a load where nothing is armed. Any thread.
inline void ReachFaultPoint(FaultPoint point) {
  if (internal::armed_fault_point.load(std::memory_order_relaxed) ==
      point.index())
    internal::ComeToArmedFaultPoint();
}

// The same.
inline bool HasFault(LastingFault fault) {
  return internal::lasting_fault.load(std::memory_order_relaxed) ==
         fault.index();
}

}  // namespace assay

#endif  // ASSAY_PROTO_BASE_FAULT_POINT_H_
