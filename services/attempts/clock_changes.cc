#include "services/attempts/clock_changes.h"

#include "services/attempts/attempt_proto.h"
#include "services/attempts/time_text.h"
#include "services/notify/outbox.h"
#include "services/rpc/resource_name.h"

namespace assay::attempts {
namespace {

std::string Describe(const ClockRecord& clock, const ClockChange& change) {
  std::string text = "clock version " + std::to_string(clock.version);
  if (clock.cut_off_time) text += ", cut-off " + TimeText(*clock.cut_off_time);
  if (!change.reason.empty()) text += ": " + change.reason;
  return text;
}

// What a candidate is told of a change; empty for their own start.
std::string TellingText(const std::string& kind) {
  if (kind == "pause") return "Your clock stands";
  if (kind == "resume") return "Your clock runs again";
  if (kind == "move") return "Your task has a new version";
  if (kind == "extend" || kind == "credit" || kind == "accommodate")
    return "You have more time";
  return "";
}

// Reasons are for the record, and may be about people: not in the mail.
std::string TellingBody(const std::string& text, const ClockRecord& clock) {
  std::string body = text + ".";
  if (clock.deadline)
    body += " Your deadline is at " + TimeText(*clock.deadline) + ".";
  return body + "\n";
}

}  // namespace

Expected<storage::AttemptRecord> ChangeClock(
    storage::Transaction& tx, const storage::AttemptRecord& attempt,
    const ClockRecord& clock, const ClockChange& change, Clock::TimePoint now) {
  ASSAY_RETURN_IF_ERROR(CheckIsOfCandidate(attempt));
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
  if (const std::string text = TellingText(change.kind); !text.empty())
    ASSAY_RETURN_IF_ERROR(notify::Tell(tx,
                                       {.topic = "clock",
                                        .recipient = attempt.candidate_email,
                                        .subject = text,
                                        .body = TellingBody(text, clock),
                                        .attempt = attempt.id},
                                       now));
  return tx.attempts.Get(attempt.id);
}

}  // namespace assay::attempts
