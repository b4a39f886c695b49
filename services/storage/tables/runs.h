#ifndef ASSAY_SERVICES_STORAGE_TABLES_RUNS_H_
#define ASSAY_SERVICES_STORAGE_TABLES_RUNS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/v1/run.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

struct RunRecord {
  RunId id;
  AttemptId attempt;
  AssignmentId assignment;
  std::int32_t assignment_version = 0;
  v1::Run::Kind kind = v1::Run::KIND_UNSPECIFIED;
  std::string commit;
  std::string plan_digest;
  std::string trace_id;  // 32 hex digits
  std::uint64_t seed = 0;
  PushId push;                  // of a push run
  std::int32_t submission = 0;  // its number, of a final run
  Clock::TimePoint queue_time;
  // As FormatNeeds writes them.
  std::string needs;
  // Leased only while fewer of its attempt's runs are; 0: whatever they are.
  std::int32_t at_once = 0;

  v1::Run::State state = v1::Run::STATE_QUEUED;
  v1::Run::Outcome outcome = v1::Run::OUTCOME_UNSPECIFIED;
  std::string outcome_reason;
  std::optional<Clock::TimePoint> start_time;
  std::optional<Clock::TimePoint> finish_time;
  std::optional<v1::Score> score;

  // The lease; `epoch` grows by one with each. 0: never leased.
  std::uint64_t epoch = 0;
  WorkerId worker;
  std::optional<Clock::TimePoint> lease_expiry;
  // Infrastructure losses so far.
  std::int32_t losses = 0;
  // Number of the next worker event within the epoch, from 1, and of the next
  // event within the run, from 1.
  std::int64_t next_offset = 1;
  std::int64_t next_sequence = 1;
};

// A run after a change, and the events that the change appended, with their
// sequences: what watchers are told once it is durable.
struct RunChange {
  RunRecord run;
  std::vector<v1::RunEvent> events;
};

struct RunCounts {
  std::int32_t queued = 0;
  std::int32_t running = 0;
};

struct RunFilter {
  AttemptId attempt;        // empty: of all
  AssignmentId assignment;  // empty: of all
};

// Runs, their queue and their leases. Every method that changes a run also
// appends the StateChanged event that says so.
//
// Errors: kAborted for a stale (run, epoch), decided in the statement that
// writes; kNotFound for an unknown run.
class RunTable {
 public:
  explicit RunTable(sql::Connection& connection) : connection_(connection) {}

  // Losses that make a run ERRORED.
  static constexpr std::int32_t kMaxLosses = 3;

  // Queues a run (id, attempt ... queue_time are read). A push run supersedes
  // the queued push runs of its attempt: their changes follow its own.
  Expected<std::vector<RunChange>> Enqueue(const RunRecord& run);

  // Leases a queued run to `worker` until now + ttl under the next epoch;
  // nothing where it is queued no more.
  Expected<std::optional<RunChange>> Lease(const RunId& run,
                                           const WorkerId& worker,
                                           Clock::TimePoint now,
                                           std::chrono::microseconds ttl);
  // Lease of the run whose turn it is, in one statement, where every queued run
  // is of `lane`; nothing where that is not so, or none may run.
  //
  // kBeside: others may do the same at this moment (Store::WriteBeside). A run
  // that one of them is about to lease is passed over; nothing where the first
  // of the rest may only run beside so many of its attempt.
  enum class Among { kNobody, kBeside };
  Expected<std::optional<RunChange>> LeaseOldest(const std::string& lane,
                                                 const WorkerId& worker,
                                                 Clock::TimePoint now,
                                                 std::chrono::microseconds ttl,
                                                 Among among = Among::kNobody);
  // The new expiry, now + ttl.
  Expected<Clock::TimePoint> Renew(const RunId& run, std::uint64_t epoch,
                                   Clock::TimePoint now,
                                   std::chrono::microseconds ttl);
  // Ends a leased run. A repeat of the same end is accepted.
  Expected<RunChange> Finish(const RunId& run, std::uint64_t epoch,
                             Clock::TimePoint now, v1::Run::Outcome outcome,
                             const std::string& reason,
                             const std::optional<v1::Score>& score);
  // Queues a leased run again in its old place. `fault` counts as a loss; the
  // third finishes the run as ERRORED instead. The run of a push gives way to
  // one of a newer push that waits: it is superseded.
  Expected<RunChange> HandBack(const RunId& run, std::uint64_t epoch,
                               Clock::TimePoint now, const std::string& reason,
                               bool fault);
  // HandBack with a fault for each lease whose expiry is at or before `now`.
  Expected<std::vector<RunChange>> ExpireLeases(Clock::TimePoint now);
  // Ends a queued or leased run by a person's wish.
  Expected<RunChange> Cancel(const RunId& run, Clock::TimePoint now,
                             const std::string& reason);

  Expected<RunRecord> Get(const RunId& id);
  // Newest first.
  Expected<PageOf<RunRecord>> List(const RunFilter& filter, const Page& page);
  // The newest of one attempt by one version of its assignment: of all, or of
  // those that have a score.
  enum class Which { kAny, kScored };
  Expected<std::optional<RunRecord>> FindNewest(const AttemptId& attempt,
                                                std::int32_t assignment_version,
                                                Which which);
  // Runs with a live lease: what a restarted coordinator takes up.
  Expected<std::vector<RunRecord>> ListRunning();
  Expected<RunCounts> Count();
  // Whether any run is queued, at a cost that does not depend on how many are.
  Expected<bool> AnyQueued();
  // The earliest expiry of a live lease.
  Expected<std::optional<Clock::TimePoint>> NextExpiry();

 private:
  Expected<RunChange> Requeue(const RunRecord& run, Clock::TimePoint now,
                              const std::string& reason, bool fault);

  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_RUNS_H_
