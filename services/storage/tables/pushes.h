#ifndef ASSAY_SERVICES_STORAGE_TABLES_PUSHES_H_
#define ASSAY_SERVICES_STORAGE_TABLES_PUSHES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/v1/attempt.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/page.h"
#include "services/storage/sql/connection.h"

namespace assay::storage {

// One ref update: RECEIVED is an intent whose ref has not moved yet.
struct PushRecord {
  PushId id;
  AttemptId attempt;
  // The order in which the attempt's pushes were taken, from 1: what is last
  // is last by this, also where clocks were equal or set back.
  std::int64_t sequence = 0;
  RepositoryId repository;
  std::string ref;
  std::string old_commit;  // 40 zeros or empty: the ref is new
  std::string new_commit;
  Clock::TimePoint receive_time;
  v1::Push::State state = v1::Push::STATE_RECEIVED;
  std::string refusal;
  bool late = false;
  RunId run;
  std::string subject;
  std::optional<Clock::TimePoint> commit_time;
};

class PushTable {
 public:
  explicit PushTable(sql::Connection& connection) : connection_(connection) {}

  // Gives it the attempt's next sequence; the record's is ignored.
  Status Create(const PushRecord& record);
  Expected<PushRecord> Get(const PushId& id);
  // In their sequence.
  Expected<PageOf<PushRecord>> List(const AttemptId& attempt, const Page& page);

  // RECEIVED -> ACCEPTED / REFUSED. kAborted when it is neither RECEIVED nor
  // already in that state.
  Status MarkAccepted(const PushId& id, const RunId& run);
  Status MarkRefused(const PushId& id, const std::string& refusal);
  Status Describe(const PushId& id, const std::string& subject,
                  std::optional<Clock::TimePoint> commit_time);

  // RECEIVED pushes of all attempts; each attempt's in their sequence.
  Expected<std::vector<PushRecord>> ListOpen();
  // Whether `attempt` has a RECEIVED push from at or before `time`.
  Expected<bool> HasOpen(const AttemptId& attempt, Clock::TimePoint time);
  // The last accepted, not late push to `ref` that was received at or before
  // `time`.
  Expected<std::optional<PushRecord>> LastAccepted(const AttemptId& attempt,
                                                   const std::string& ref,
                                                   Clock::TimePoint time);
  // The first accepted push that brought `commit` as the tip of `ref`; empty:
  // of any.
  Expected<std::optional<PushRecord>> FindByCommit(const AttemptId& attempt,
                                                   const std::string& commit,
                                                   const std::string& ref = "");
  // Whether a later push of the same ref was accepted that found it at
  // `push`'s commit, and so proves that the ref was there.
  Expected<bool> HasSuccessor(const PushRecord& push);
  // Whether a later push of the same ref was accepted.
  Expected<bool> HasLater(const PushRecord& push);
  // Where the last accepted push of each ref left it, by ref.
  Expected<std::map<std::string, std::string>> AcceptedTips(
      const AttemptId& attempt);
  // Clears `late` of pushes that were received at or before `cut_off`, after
  // the clock was moved, and sets it on those after it.
  Status JudgeAgain(const AttemptId& attempt, Clock::TimePoint cut_off);
  // Takes the commits' subjects away, which the candidate wrote.
  Status Erase(const AttemptId& attempt);
  // Runs queued by pushes of `attempt` that were received after `since`.
  Expected<std::int32_t> CountRunsSince(const AttemptId& attempt,
                                        Clock::TimePoint since);

 private:
  sql::Connection& connection_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_TABLES_PUSHES_H_
