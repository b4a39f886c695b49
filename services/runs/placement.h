#ifndef ASSAY_SERVICES_RUNS_PLACEMENT_H_
#define ASSAY_SERVICES_RUNS_PLACEMENT_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "assay/v1/assignment.pb.h"
#include "proto/base/id.h"
#include "services/storage/tables/assignments.h"
#include "services/storage/tables/needs.h"
#include "services/storage/tables/queue.h"

namespace assay::runs {

// Processors and memory of a plan's run: what its cells may use together while
// the service runs. Pool and labels stay empty.
storage::Needs NeedsOf(const plan::v1::Plan& plan);
// Everything that a run of this assignment asks of its worker.
storage::Needs NeedsOf(const storage::AssignmentRecord& assignment);

// A worker that gets runs, and what of it is free.
struct Room {
  static constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();

  WorkerId worker;
  // All that it has.
  storage::Needs offer{.milli_cpus = kAny, .memory_bytes = kAny};
  std::int64_t free_milli_cpus = kAny;
  std::int64_t free_memory_bytes = kAny;
  // Runs that it takes now, and holds.
  std::int32_t places = 1;
  std::int32_t busy = 0;
  // When it was given its last one, counted in runs that were given away.
  std::uint64_t last_turn = 0;
  // Runs that were lost there by its own fault.
  std::vector<RunId> failed;
};

// Whether an idle worker with this offer could take a run that needs this.
bool Offers(const storage::Needs& offer, const storage::Needs& needs);

struct Choice {
  RunId run;
  WorkerId worker;
};

// Which of the heads, given in the order of their turns, goes where now;
// nothing where none can. Among workers that have room the emptiest is taken,
// so that load spreads; of equals, the one that has waited longest.
//
// Nothing is overcommitted, and nothing starves: a run whose turn it is, and
// which fits a worker only once that has finished something, gets the worker
// with the most room set aside for it; what comes after it goes elsewhere. A
// run comes back to a worker that has failed it only while no other could ever
// take it: one sick worker must not be all the evidence against a run.
std::optional<Choice> Place(std::span<const storage::QueueHead> heads,
                            std::vector<Room> rooms);

// Why no worker of these can ever take such a run, in a sentence with what to
// do; empty where one can.
std::string Misfit(const storage::Needs& needs,
                   std::span<const storage::Needs> offers);

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_PLACEMENT_H_
