#include "services/deadlines/freeze.h"

#include "services/rpc/resource_name.h"

namespace assay::deadlines {

Expected<Frozen> Freeze(storage::Transaction& tx, const AttemptId& id,
                        const std::string& graded_ref, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const storage::AttemptRecord attempt,
                         tx.attempts.Get(id));
  if (attempt.state != v1::Attempt::STATE_STARTED ||
      !attempt.clock.cut_off_time || now <= *attempt.clock.cut_off_time)
    return Frozen();
  ASSAY_ASSIGN_OR_RETURN(const bool open,
                         tx.pushes.HasOpen(id, *attempt.clock.cut_off_time));
  if (open) return Frozen();
  ASSAY_RETURN_IF_ERROR(tx.attempts.MarkSubmitted(id, attempt.clock.version));
  Frozen result{.frozen = true, .attempt = id};
  ASSAY_ASSIGN_OR_RETURN(result.submitted, submissions::SubmitAtDeadline(
                                               tx, attempt, graded_ref, now));
  const std::string what =
      !result.submitted ? "what was handed in before counts"
      : result.submitted->submission.commit.empty()
          ? "nothing was pushed"
          : "handed in " + result.submitted->submission.commit;
  ASSAY_RETURN_IF_ERROR(
      tx.audit.Append({.time = now,
                       .actor = "system",
                       .action = "attempt.deadline",
                       .subject = rpc::FormatName("attempts", id),
                       .detail = what}));
  return result;
}

}  // namespace assay::deadlines
