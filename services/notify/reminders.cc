#include "services/notify/reminders.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include "services/notify/outbox.h"
#include "services/rpc/proto_time.h"

namespace assay::notify {
namespace {

using std::chrono::microseconds;
using storage::AttemptRecord;

// No assignment may ask for an earlier one.
constexpr microseconds kEarliest = std::chrono::days(7);

std::string SpanText(microseconds span) {
  const auto minutes = std::chrono::round<std::chrono::minutes>(span).count();
  if (minutes < 120) return fmt::format("{} min", minutes);
  if (minutes < 48 * 60) return fmt::format("{} h", minutes / 60);
  return fmt::format("{} days", minutes / (24 * 60));
}

// The shortest of the wanted times that is due; noted as sent, with the
// longer ones.
Expected<std::optional<microseconds>> TakeDue(storage::Transaction& tx,
                                              const AttemptRecord& attempt,
                                              const v1::AssignmentSpec& spec,
                                              microseconds left) {
  std::optional<microseconds> shortest;
  for (const auto& wanted : spec.reminders()) {
    const microseconds before = rpc::FromProto(wanted);
    if (before < left) continue;
    ASSAY_ASSIGN_OR_RETURN(const bool fresh,
                           tx.notifications.NoteReminder(
                               attempt.id, *attempt.clock.deadline, before));
    if (fresh && (!shortest || before < *shortest)) shortest = before;
  }
  return shortest;
}

Status Remind(storage::Transaction& tx, const AttemptRecord& attempt,
              const std::string& title, microseconds left,
              Clock::TimePoint now) {
  const auto deadline =
      std::chrono::floor<std::chrono::seconds>(*attempt.clock.deadline)
          .time_since_epoch()
          .count();
  return Tell(
      tx,
      {.topic = "reminder",
       .recipient = attempt.candidate_email,
       .subject = SpanText(left) + " left: " + title,
       .body = fmt::format(
           "The deadline of \"{}\" is at {:%Y-%m-%d %H:%M:%S} UTC, in {}.\n\n"
           "Push what you have: your last push to main is handed in by "
           "itself.\n",
           title, fmt::gmtime(static_cast<std::time_t>(deadline)),
           SpanText(left)),
       .attempt = attempt.id},
      now);
}

}  // namespace

Expected<int> RemindDue(storage::Transaction& tx, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const auto attempts,
                         tx.attempts.ListDeadlines(now, now + kEarliest));
  std::map<std::pair<AssignmentId, std::int32_t>, v1::AssignmentSpec> specs;
  int sent = 0;
  for (const AttemptRecord& attempt : attempts) {
    const std::pair key(attempt.assignment, attempt.assignment_version);
    if (!specs.contains(key)) {
      ASSAY_ASSIGN_OR_RETURN(auto assignment,
                             tx.assignments.Get(key.first, key.second));
      specs[key] = std::move(assignment.spec);
    }
    const v1::AssignmentSpec& spec = specs[key];
    const microseconds left = *attempt.clock.deadline - now;
    ASSAY_ASSIGN_OR_RETURN(const auto due, TakeDue(tx, attempt, spec, left));
    if (!due) continue;
    ASSAY_RETURN_IF_ERROR(Remind(tx, attempt, spec.title(), left, now));
    ++sent;
  }
  return sent;
}

}  // namespace assay::notify
