#include "services/git_http/push_narrator.h"

#include <fmt/format.h>

#include <cmath>

#include "proto/base/utf8.h"

namespace assay::git_http {
namespace {

constexpr std::size_t kMaxTitle = 60;
constexpr std::size_t kMaxReason = 300;

// 2.5 -> "2.5", 5 -> "5".
std::string Points(double points) {
  return points == std::floor(points) ? fmt::format("{:.0f}", points)
                                      : fmt::format("{:.2g}", points);
}

std::string_view Word(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "pass";
    case v1::VERDICT_FAILED:
      return "FAIL";
    case v1::VERDICT_TIMED_OUT:
      return "TIME";
    case v1::VERDICT_SKIPPED:
      return "skip";
    case v1::VERDICT_INCONCLUSIVE:
      return "????";
    default:
      return "ERR ";
  }
}

// What happens in a phase, while it does.
std::string_view PhaseLine(std::string_view phase) {
  if (phase == "build") return "Building\n";
  if (phase == "start") return "Starting your service\n";
  if (phase == "checks") return "Running the public checks\n";
  return "";
}

std::string Sentence(std::string_view text) {
  return PresentableLine(text, kMaxReason);
}

std::string_view OutcomeLine(v1::Run::Outcome outcome) {
  switch (outcome) {
    case v1::Run::OUTCOME_BUILD_FAILED:
      return "The build failed";
    case v1::Run::OUTCOME_NEVER_READY:
      return "Your service never got ready";
    case v1::Run::OUTCOME_SERVICE_CRASHED:
      return "Your service kept exiting";
    case v1::Run::OUTCOME_OUT_OF_MEMORY:
      return "The run went over its memory limit";
    case v1::Run::OUTCOME_TIMED_OUT:
      return "The run went over its time limit";
    case v1::Run::OUTCOME_ERRORED:
      return "The run could not be completed, through no fault of yours";
    case v1::Run::OUTCOME_CANCELLED:
      return "The run was cancelled";
    default:
      return "";
  }
}

std::string TellOutcome(v1::Run::Outcome outcome, std::string_view reason) {
  const std::string_view line = OutcomeLine(outcome);
  if (line.empty()) return "";
  return reason.empty() ? fmt::format("{}.\n", line)
                        : fmt::format("{}: {}\n", line, Sentence(reason));
}

}  // namespace

std::string PushNarrator::Tell(const v1::WatchRunResponse& update) {
  switch (update.content_case()) {
    case v1::WatchRunResponse::kSnapshot:
      return TellSnapshot(update.snapshot());
    case v1::WatchRunResponse::kEvent:
      return TellEvent(update.event());
    default:
      return "";
  }
}

std::string PushNarrator::TellSnapshot(const v1::Run& run) {
  std::string lines;
  if (run.state() == v1::Run::STATE_QUEUED)
    lines += TellQueued(run.queue_position());
  for (const v1::CheckResult& check : run.checks()) lines += TellCheck(check);
  if (run.state() == v1::Run::STATE_FINISHED) {
    outcome_ = TellOutcome(run.outcome(), run.outcome_reason());
    lines += TellEnd();
  }
  if (run.state() == v1::Run::STATE_SUPERSEDED && !finished_) {
    finished_ = true;
    lines += "Replaced by a newer push.\n";
  }
  return lines;
}

std::string PushNarrator::TellEvent(const v1::RunEvent& event) {
  switch (event.event_case()) {
    case v1::RunEvent::kPhaseStarted:
      return std::string(PhaseLine(event.phase_started().phase()));
    case v1::RunEvent::kPhaseFinished:
      if (event.phase_finished().ok()) return "";
      return fmt::format("  {}: {}\n", Sentence(event.phase_finished().phase()),
                         Sentence(event.phase_finished().reason()));
    case v1::RunEvent::kCheckFinished:
      return TellCheck(event.check_finished().result());
    case v1::RunEvent::kFinished:
      outcome_ =
          TellOutcome(event.finished().outcome(), event.finished().reason());
      return "";
    case v1::RunEvent::kStateChanged:
      break;
    default:
      return "";
  }
  const v1::RunEvent::StateChanged& change = event.state_changed();
  if (change.state() == v1::Run::STATE_QUEUED)
    return TellQueued(change.queue_position());
  if (change.state() == v1::Run::STATE_FINISHED) return TellEnd();
  if (change.state() == v1::Run::STATE_SUPERSEDED && !finished_) {
    finished_ = true;
    return "Replaced by a newer push.\n";
  }
  return "";
}

std::string PushNarrator::TellQueued(int position) {
  if (position == told_position_) return "";
  told_position_ = position;
  if (position == 0) return "Queued: next in line\n";
  return fmt::format("Queued: {} {} ahead\n", position,
                     position == 1 ? "run is" : "runs are");
}

std::string PushNarrator::TellCheck(const v1::CheckResult& check) {
  if (check.hidden()) return "";
  told_.set_earned(told_.earned() + check.earned());
  if (!check.bonus()) told_.set_max(told_.max() + check.points());
  const std::string title = PresentableLine(
      check.title().empty() ? check.check_id() : check.title(), kMaxTitle);
  std::string lines =
      fmt::format("  {}  {:<44} {:>5} of {}\n", Word(check.verdict()), title,
                  Points(check.earned()), Points(check.points()));
  if (check.verdict() != v1::VERDICT_PASSED && !check.reason().empty())
    lines += fmt::format("        {}\n", Sentence(check.reason()));
  return lines;
}

std::string PushNarrator::TellEnd() {
  if (finished_) return "";
  finished_ = true;
  if (told_.max() == 0) return outcome_;
  return outcome_ + fmt::format("Public checks: {} of {} points\n",
                                Points(told_.earned()), Points(told_.max()));
}

}  // namespace assay::git_http
