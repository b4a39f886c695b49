#include "services/cli/attempt_view.h"

#include <fmt/format.h>

#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

std::string LateText(v1::AssignmentSpec::LatePolicy policy) {
  switch (policy) {
    case v1::AssignmentSpec::LATE_POLICY_LATE:
      return "Pushes after it are kept, marked late, and do not count.";
    case v1::AssignmentSpec::LATE_POLICY_PRACTICE:
      return "Pushes after it are kept and run for your own use; they do not "
             "count.";
    default:
      return "Pushes after it are refused.";
  }
}

std::string SizeText(std::int64_t bytes) {
  constexpr std::int64_t kMebibyte = 1 << 20;
  return bytes >= kMebibyte ? fmt::format("{} MiB", bytes / kMebibyte)
                            : fmt::format("{} KiB", bytes / 1024);
}

bool IsSet(const google::protobuf::Duration& duration) {
  return FromProto(duration).count() != 0;
}

}  // namespace

std::string StateText(v1::Attempt::State state) {
  switch (state) {
    case v1::Attempt::STATE_ACCEPTED:
      return "accepted";
    case v1::Attempt::STATE_STARTED:
      return "started";
    case v1::Attempt::STATE_SUBMITTED:
      return "submitted";
    default:
      return "unknown";
  }
}

std::string TimeLeft(const v1::AttemptClock& clock) {
  if (clock.has_pause_time()) return "paused";
  if (!clock.has_deadline()) return "";
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto left = FromProto(clock.deadline()) - now;
  if (left.count() <= 0) return "over";
  return DurationText(std::chrono::duration_cast<std::chrono::seconds>(left));
}

std::vector<std::string> RuleLines(const v1::AttemptRules& rules,
                                   const v1::AttemptClock& clock) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format(
      "You have {} from the start; the clock does not stop in between.",
      DurationText(std::chrono::nanoseconds(static_cast<std::int64_t>(
          static_cast<double>(FromProto(clock.duration()).count()) *
          clock.accommodation())))));
  if (IsSet(clock.grace()))
    lines.push_back("Pushes count until " + DurationText(clock.grace()) +
                    " after the deadline.");
  if (rules.has_open_time())
    lines.push_back("It opens at " + LocalTimeText(rules.open_time()) + ".");
  if (rules.has_hard_close_time())
    lines.push_back("Nothing counts after " +
                    LocalTimeText(rules.hard_close_time()) +
                    ", whatever the clock says.");
  lines.push_back(LateText(rules.late_policy()));
  lines.push_back(
      rules.allow_force_push()
          ? "You may rewrite history; what was pushed before is kept."
          : "History cannot be rewritten: push without --force.");
  if (rules.linear_history())
    lines.push_back("Merges are refused: rebase instead.");
  if (!rules.commit_subject().empty())
    lines.push_back("The first line of each commit's message has to match " +
                    Printable(rules.commit_subject()) + " (RE2).");
  if (rules.allow_tags())
    lines.push_back(
        "You may push tags, one at a time; they are kept and not graded.");
  lines.push_back("A push may have up to " + SizeText(rules.max_push_bytes()) +
                  ".");
  lines.push_back(
      rules.push_runs_per_hour() == 0
          ? "Every push to main runs the public checks."
          : fmt::format("Up to {} pushes an hour run the public checks.",
                        rules.push_runs_per_hour()));
  lines.push_back(
      "Your last push to main is handed in at the deadline by itself.");
  return lines;
}

Outcome ShowAttempt(Context& context, const v1::Attempt& attempt) {
  Console& console = context.console();
  if (console.json()) {
    console.Json(attempt);
    return kSuccess;
  }
  const v1::AttemptClock& clock = attempt.clock();
  const bool longer = clock.accommodation() > 1;
  console.Fields({
      {"attempt", ShortName(attempt.name())},
      {"assignment",
       fmt::format("{} (version {})", ShortName(attempt.assignment()),
                   attempt.assignment_version())},
      {"title", Printable(attempt.title())},
      {"candidate", attempt.reference() ? "nobody: the reference solution"
                                        : Printable(attempt.candidate_name())},
      {"state", StateText(attempt.state())},
      {"time allowed",
       DurationText(clock.duration()) +
           (longer ? fmt::format(" x {:g}", clock.accommodation()) : "")},
      {"extended",
       IsSet(clock.extended()) ? DurationText(clock.extended()) : ""},
      {"paused for", IsSet(clock.paused()) ? DurationText(clock.paused()) : ""},
      {"started",
       clock.has_start_time() ? LocalTimeText(clock.start_time()) : ""},
      {"deadline", clock.has_deadline() ? LocalTimeText(clock.deadline()) : ""},
      {"grace", IsSet(clock.grace()) ? DurationText(clock.grace()) : ""},
      {"hard close", clock.has_hard_close_time()
                         ? LocalTimeText(clock.hard_close_time())
                         : ""},
      {"time left", TimeLeft(clock)},
      {"pushes", std::to_string(attempt.push_count())},
      {"submissions", std::to_string(attempt.submission_count())},
      {"latest run", ShortName(attempt.latest_run())},
      {"repository", attempt.clone_url()},
      {"fix offered", attempt.template_branch().empty()
                          ? ""
                          : "branch " + attempt.template_branch()},
      {"erased",
       attempt.has_erase_time() ? TimeText(attempt.erase_time()) : ""},
  });
  return kSuccess;
}

}  // namespace assay::cli
