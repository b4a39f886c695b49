#include "services/attempts/clock_changes.h"

#include "services/attempts/time_text.h"
#include "services/rpc/resource_name.h"

namespace assay::attempts {
namespace {

std::string Describe(const ClockRecord& clock, const ClockChange& change) {
  std::string text = "clock version " + std::to_string(clock.version);
  if (clock.cut_off_time) text += ", cut-off " + TimeText(*clock.cut_off_time);
  if (!change.reason.empty()) text += ": " + change.reason;
  return text;
}

}  // namespace

Expected<storage::AttemptRecord> ChangeClock(
    storage::Transaction& tx, const storage::AttemptRecord& attempt,
    const ClockRecord& clock, const ClockChange& change, Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(tx.attempts.ChangeClock(attempt.id, clock,
                                                {.version = clock.version,
                                                 .time = now,
                                                 .kind = change.kind,
                                                 .amount = change.amount,
                                                 .actor = change.actor,
                                                 .reason = change.reason}));
  ASSAY_RETURN_IF_ERROR(
      tx.audit.Append({.time = now,
                       .actor = change.actor,
                       .action = "attempt." + change.kind,
                       .subject = rpc::FormatName("attempts", attempt.id),
                       .detail = Describe(clock, change)}));
  ASSAY_RETURN_IF_ERROR(tx.pushes.JudgeAgain(
      attempt.id, clock.cut_off_time.value_or(Clock::TimePoint::max())));
  const bool later = !clock.cut_off_time || !attempt.clock.cut_off_time ||
                     *clock.cut_off_time > *attempt.clock.cut_off_time;
  if (attempt.state == v1::Attempt::STATE_SUBMITTED && later)
    ASSAY_RETURN_IF_ERROR(tx.attempts.MarkReopened(attempt.id));
  return tx.attempts.Get(attempt.id);
}

}  // namespace assay::attempts
