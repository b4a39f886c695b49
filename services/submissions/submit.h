#ifndef ASSAY_SERVICES_SUBMISSIONS_SUBMIT_H_
#define ASSAY_SERVICES_SUBMISSIONS_SUBMIT_H_

#include <optional>
#include <string>
#include <vector>

#include "assay/v1/submission.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/tables/attempts.h"
#include "services/storage/tables/pushes.h"
#include "services/storage/tables/runs.h"
#include "services/storage/tables/submissions.h"
#include "services/storage/transaction.h"

namespace assay::submissions {

// What a hand-in stored: the row, and the final run that was queued with it.
struct Submitted {
  storage::SubmissionRecord submission;
  // Empty for an empty submission, which is scored 0 without a run.
  std::vector<storage::RunChange> changes;
};

// Hands in what `push` brought, or nothing (an empty submission). The row and
// its final run belong to one transaction, so that neither is ever without the
// other. `submit_time` is when it counts from, `now` when the run is queued;
// `ai_statement` is the candidate's, on the tools that they used.
Expected<Submitted> Submit(storage::Transaction& tx,
                           const storage::AttemptRecord& attempt,
                           const std::optional<storage::PushRecord>& push,
                           v1::Submission::Cause cause,
                           Clock::TimePoint submit_time, Clock::TimePoint now,
                           const std::string& ai_statement = "");

// Hands in what the deadline finds: the last push to `ref` in time, unless the
// candidate handed in by themselves, which then counts. Nothing when the last
// submission has that commit already: after an attempt was reopened, or for a
// push in time that was processed after the deadline had fired.
Expected<std::optional<Submitted>> SubmitAtDeadline(
    storage::Transaction& tx, const storage::AttemptRecord& attempt,
    const std::string& ref, Clock::TimePoint now);

v1::Submission ToProto(const storage::SubmissionRecord& submission);

}  // namespace assay::submissions

#endif  // ASSAY_SERVICES_SUBMISSIONS_SUBMIT_H_
