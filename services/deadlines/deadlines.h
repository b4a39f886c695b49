#ifndef ASSAY_SERVICES_DEADLINES_DEADLINES_H_
#define ASSAY_SERVICES_DEADLINES_DEADLINES_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/runs/run_feed.h"
#include "services/storage/store.h"
#include "services/submissions/submission_refs.h"

namespace assay::deadlines {

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

struct DeadlineParts {
  // Whether a push to the repository is on its way that was received at or
  // before the cut-off: the deadline waits for it.
  std::function<bool(const RepositoryId&, Clock::TimePoint cut_off)>
      has_arrivals;
  // The branch whose tip is handed in.
  std::string graded_ref;
  // The guarantee behind the exact timer.
  std::chrono::milliseconds sweep_interval{1'000};
  // This node. Attempts whose repository is at another one are left to that
  // one, unless it has been silent for so long.
  std::string node = {};
  std::chrono::milliseconds silent_after{5'000};
};

// Freezes attempts whose cut-off has passed, and hands in what they pushed.
// The cut-off is part of each attempt's row, so that it holds across restarts,
// downtime and clock jumps: the timer is a wake-up, the sweep the guarantee,
// and the transaction alone decides. Each attempt is frozen once; an extension
// that was committed before wins.
//
// Ownership: borrows all that it is made of.
// Threads: confined to `strand`.
class Deadlines {
 public:
  Deadlines(boost::asio::any_io_executor strand, storage::Store& store,
            runs::RunFeed& feed, submissions::SubmissionRefs& refs,
            const Clock& clock, DeadlineParts parts);
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Sweeps until Stop.
  void Start();
  void Stop();
  // A clock was moved or started: looks again for the next cut-off.
  void Wake();

  // Freezes every attempt that is due; answers with how many were. Attempts
  // that wait for a push stay for the next sweep.
  Async<int> Sweep();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::deadlines

#endif  // ASSAY_SERVICES_DEADLINES_DEADLINES_H_
