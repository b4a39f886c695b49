#ifndef ASSAY_SERVICES_DISPATCH_ROSTER_H_
#define ASSAY_SERVICES_DISPATCH_ROSTER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/clock.h"
#include "proto/base/id.h"
#include "services/dispatch/content.h"
#include "services/dispatch/worker_link.h"
#include "services/dispatch/worker_proof.h"
#include "services/runs/placement.h"
#include "services/storage/tables/runs.h"

namespace assay::dispatch {

// One attached stream.
struct Attachment {
  std::uint64_t id = 0;
  std::shared_ptr<WorkerLink> link;
  WorkerProof proof;
  // Empty until `hello`.
  WorkerId worker;
  // What the machine calls itself; several processes may share it.
  std::string name;
  // Why it gets no runs; empty while it does.
  std::string held_back;
  // Its name has faults in the book, which a good end clears.
  bool has_faults = false;
  // Runs that it has lost by its own fault, the newest last.
  std::vector<RunId> failed;
  std::int32_t slots = 0;
  std::int32_t demand = 0;
  storage::Needs offer;
  // See runs::Room.
  std::uint64_t last_turn = 0;
  Clock::TimePoint attach_time;
  // 0 unless it is off by more than two seconds.
  std::chrono::microseconds clock_ahead{0};
  // Of the last message of any kind.
  std::chrono::steady_clock::time_point heard;
};

// A lease as this coordinator knows it. What counts is the store's record;
// this is what is needed to serve it.
struct LiveLease {
  // Until its worker knows of it: since when what it needs is being fetched,
  // and why that failed.
  struct Preparing {
    std::chrono::steady_clock::time_point since;
    std::string failure;
  };

  storage::RunRecord run;
  std::optional<Preparing> preparing;
  // run.needs, read.
  storage::Needs needs;
  SharedContent plan;
  SharedContent pack;
  // When a run that still reports is ended from here; max() until its plan is
  // known.
  std::chrono::steady_clock::time_point end =
      std::chrono::steady_clock::time_point::max();
};

// Who is attached, what is leased to whom, and who has room. Holds decisions
// only: no I/O, no timers.
//
// Threads: confined to the coordinator's strand.
class Roster {
 public:
  Attachment& Open(std::shared_ptr<WorkerLink> link, WorkerProof proof,
                   std::chrono::steady_clock::time_point now);
  // Null for one that is closed. Valid until it is closed.
  Attachment* Find(std::uint64_t attachment);
  Attachment* FindWorker(const WorkerId& worker);
  void Close(std::uint64_t attachment);
  const std::map<std::uint64_t, Attachment>& attachments() const {
    return attachments_;
  }

  LiveLease& AddLease(storage::RunRecord run);
  // Null unless exactly this (run, epoch) is live.
  LiveLease* FindLease(const RunId& run, std::uint64_t epoch);
  void RemoveLease(const RunId& run);
  const std::map<RunId, LiveLease>& leases() const { return leases_; }
  std::int32_t LeasesOf(const WorkerId& worker) const;
  // The same with their epochs: what may be looked up again.
  std::vector<std::pair<RunId, std::uint64_t>> ListLeasesOf(
      const WorkerId& worker) const;

  // What is free of the workers that get runs. A worker's demand may cross a
  // lease on its way to it; the slots that the leases known here leave are the
  // upper bound.
  std::vector<runs::Room> Rooms() const;

 private:
  std::uint64_t next_attachment_ = 1;
  std::uint64_t turns_ = 0;
  std::map<std::uint64_t, Attachment> attachments_;
  std::map<RunId, LiveLease> leases_;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_ROSTER_H_
