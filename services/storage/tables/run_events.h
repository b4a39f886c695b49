#ifndef ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENTS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENTS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/otlp/v1/trace.pb.h"
#include "assay/v1/check.pb.h"
#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// What became of a worker's batch of events.
struct AppendResult {
  // The worker's next event has this number within its epoch. Smaller than
  // the batch's end when there was a gap: nothing of the batch was stored.
  std::int64_t next_offset = 1;
  // The events that were new, with sequence and epoch set, for watchers.
  std::vector<v1::RunEvent> appended;
  // Every result of the epoch in the order in which they came, where the batch
  // held one of them: it had to be compared with the others anyhow.
  std::optional<std::vector<v1::CheckResult>> results;
};

struct RunSpans {
  std::vector<otlp::v1::Span> spans;
  std::int64_t dropped = 0;
};

// An event as it is stored.
struct StoredEvent {
  std::int64_t sequence = 0;
  std::string content;  // a serialised v1::RunEvent
};

// What happened in runs: events in sequence, and what is read out of them
// (check results, spans, logs). Append-only.
class RunEventTable {
 public:
  explicit RunEventTable(sql::Connection& connection)
      : connection_(connection) {}

  // Stores the worker's events numbered first_offset, first_offset + 1, ...
  // Numbers that were stored before are absorbed. Sets `sequence` and `epoch`.
  // A `finished` event is stored as what it is; RunTable::Finish ends the run.
  //
  // kAborted: `epoch` is stale, or the run is no longer leased (a repeat of
  // what was stored under the same epoch is still absorbed).
  // kFailedPrecondition: a different verdict for a check that has one.
  Expected<AppendResult> Append(const RunId& run, std::uint64_t epoch,
                                std::int64_t first_offset,
                                std::span<const v1::RunEvent> events);

  // The score of a run with these results; nothing where it gets none.
  using Judge = std::function<std::optional<v1::Score>(
      const std::vector<v1::CheckResult>&)>;
  // As Append of a batch whose last event is `finished`, and RunTable::Finish
  // with its outcome and with what `judge` says of all results of the epoch:
  // one change of the run's row instead of two. The event that says so is
  // among the appended ones.
  //
  // Nothing, and nothing is changed, where the batch does not begin exactly
  // where the last one ended, under a lease that is the current one: Append
  // says what is to be said then.
  Expected<std::optional<AppendResult>> AppendLast(
      const RunId& run, std::uint64_t epoch, std::int64_t first_offset,
      std::span<const v1::RunEvent> events, Clock::TimePoint now,
      const Judge& judge);

  // Events with a sequence above `after`, in order, at most `limit`.
  // `results_only` leaves out logs and spans.
  Expected<std::vector<v1::RunEvent>> List(const RunId& run, std::int64_t after,
                                           std::int32_t limit,
                                           bool results_only);
  // Of the given epoch, in the order in which they came.
  Expected<std::vector<v1::CheckResult>> ListResults(const RunId& run,
                                                     std::uint64_t epoch);
  // Removes the logs and spans of an attempt's runs, and keeps the verdicts.
  Status EraseLogs(const AttemptId& attempt);
  Expected<RunSpans> ListSpans(const RunId& run, std::uint64_t epoch);
  // The events that hold those spans, with a sequence above `after`, in order,
  // at most `limit`.
  Expected<std::vector<StoredEvent>> ListSpanEvents(const RunId& run,
                                                    std::uint64_t epoch,
                                                    std::int64_t after,
                                                    std::int32_t limit);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_RUN_EVENTS_H_
