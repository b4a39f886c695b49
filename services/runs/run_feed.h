#ifndef ASSAY_SERVICES_RUNS_RUN_FEED_H_
#define ASSAY_SERVICES_RUNS_RUN_FEED_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/tables/runs.h"

namespace assay::runs {

template <class T>
using Async = boost::asio::awaitable<Expected<T>>;

using SharedEvent = std::shared_ptr<const v1::RunEvent>;

// Tells watchers what happened in runs, after it has become durable. The store
// is the truth and the feed a wake-up with contents: a watcher that was too
// slow reads what it missed from there.
//
// Threads: confined to the coordinator's strand.
class RunFeed {
 public:
  struct Options {
    // Events that wait for one watcher before it is sent to the store.
    std::size_t max_waiting = 256;
  };

  // A watcher's end. Ends the watch when destroyed.
  class Watch {
   public:
    // What one Next brings.
    struct Batch {
      // In sequence, without repeats.
      std::vector<SharedEvent> events;
      // Events before these were dropped: read them from the store.
      bool gap = false;
    };
    virtual ~Watch() = default;
    // Suspends until there is something. kCancelled once the feed is closed.
    virtual Async<Batch> Next() = 0;
  };

  // A watcher of everything that lists show: learns which runs changed state,
  // each once however often it changed meanwhile, and that something else did.
  class ListWatch {
   public:
    struct Changes {
      std::vector<RunId> runs;
      // Something that is no run: an attempt, an invitation, a question.
      bool others = false;
    };
    virtual ~ListWatch() = default;
    // kUnavailable: changes may have been missed; read all and go on.
    virtual Async<Changes> Next() = 0;
  };

  // A watcher of one attempt: learns that something about it changed, once
  // however often it did.
  class AttemptWatch {
   public:
    virtual ~AttemptWatch() = default;
    virtual Async<void> Next() = 0;
  };

  RunFeed(boost::asio::any_io_executor strand, Options options);
  explicit RunFeed(boost::asio::any_io_executor strand);
  ~RunFeed();
  RunFeed(const RunFeed&) = delete;
  RunFeed& operator=(const RunFeed&) = delete;

  // `events` carry their sequences and are durable.
  void Publish(const RunId& run, std::vector<v1::RunEvent> events);
  void Publish(const storage::RunChange& change) {
    Publish(change.run.id, change.events);
    Touch(change.run.attempt);
  }
  void Publish(const std::vector<storage::RunChange>& changes) {
    for (const storage::RunChange& change : changes) Publish(change);
  }

  // Who watches: somebody here, or another coordinator, which is told what is
  // published here and nothing that was heard.
  enum class Watcher { kHere, kElsewhere };
  std::unique_ptr<Watch> WatchRun(const RunId& run,
                                  Watcher watcher = Watcher::kHere);
  std::unique_ptr<ListWatch> WatchStates();
  // Something about an attempt has changed and is durable: its clock, a push,
  // a submission, a question.
  void Touch(const AttemptId& attempt);
  // Something that every attempt may show.
  void TouchAll();
  // Something that no attempt shows, but lists do: an invitation, say.
  void TouchLists();
  std::unique_ptr<AttemptWatch> WatchAttempt(const AttemptId& attempt);
  // Called after each Publish that queued a run: the dispatcher's wake-up.
  void OnQueued(std::function<void()> callback);

  // What this feed was told here and other coordinators have to hear of.
  struct Echo {
    std::function<void(const RunId& run, bool queued)> state_changed;
    std::function<void(const AttemptId& attempt)> touched;
    std::function<void()> all_touched;
  };
  void OnPublished(Echo echo);
  // What another coordinator's feed was told. Watchers of the run read it from
  // the store.
  void HearState(const RunId& run, bool queued);
  void HearTouch(const AttemptId& attempt);
  // Something may have been missed: every watch looks again.
  void HearAnything();
  // Events of a run that another coordinator published; repeats are dropped.
  void HearEvents(const RunId& run, const std::vector<SharedEvent>& events);
  // The store has the run's events up to `sequence`: whoever watches it and
  // has not been told so far reads them.
  void HearUpTo(const RunId& run, std::int64_t sequence);
  // Runs that somebody here watches.
  std::vector<RunId> WatchedRuns() const;
  // Called when somebody here begins to watch a run.
  void OnWatched(std::function<void(const RunId& run)> callback);
  // Ends every watch with kCancelled: the coordinator drains.
  void Close();

  std::size_t watch_count() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_RUN_FEED_H_
