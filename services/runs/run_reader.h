#ifndef ASSAY_SERVICES_RUNS_RUN_READER_H_
#define ASSAY_SERVICES_RUNS_RUN_READER_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "assay/v1/run.pb.h"
#include "assay/v1/run_service.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"
#include "services/runs/plan_cache.h"
#include "services/runs/run_feed.h"
#include "services/storage/store.h"

namespace assay::runs {

// Shows runs as a caller may see them: candidates without what is hidden from
// them, and only those of their own attempt (any other is kNotFound).
//
// Ownership: borrows all that it is made of.
// Threads: confined to the coordinator's strand.
class RunReader {
 public:
  RunReader(storage::Store& store, PlanCache& plans, RunFeed& feed);

  Async<v1::Run> Get(rpc::Caller caller, RunId run);
  Async<storage::PageOf<v1::Run>> List(rpc::Caller caller,
                                       storage::RunFilter filter,
                                       storage::Page page);

  // Which events: all, those that are no spans, or neither logs nor spans.
  enum class Detail { kAll, kNoSpans, kResults };
  struct WatchOptions {
    // Events after this one instead of a snapshot; 0: a snapshot first; -1:
    // every event from the first one on.
    std::int64_t after_sequence = 0;
    Detail detail = Detail::kAll;
  };
  // Hands the run to `write` as it is and then as it goes on, until it has
  // finished. Each event comes once and in order, however slow `write` is.
  // Ends with the first Error of `write`.
  using Write = std::function<Async<void>(v1::WatchRunResponse)>;
  Async<void> Watch(rpc::Caller caller, RunId run, WatchOptions options,
                    Write write);

 private:
  storage::Store& store_;
  PlanCache& plans_;
  RunFeed& feed_;
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_RUN_READER_H_
