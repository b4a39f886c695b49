#include "services/cli/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr int kTailLines = 12;
constexpr std::size_t kTitleColumns = 52;

Color ColorOf(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return Color::kGreen;
    case v1::VERDICT_FAILED:
    case v1::VERDICT_TIMED_OUT:
      return Color::kRed;
    default:
      return Color::kYellow;
  }
}

std::string_view MarkOf(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "✓";
    case v1::VERDICT_FAILED:
    case v1::VERDICT_TIMED_OUT:
      return "✗";
    default:
      return "•";
  }
}

std::string PointsOf(const v1::CheckResult& result) {
  return fmt::format("{}/{}{}", PointsText(result.earned()),
                     PointsText(result.points()),
                     result.bonus() ? " bonus" : "");
}

// Where a check went wrong, in a sentence, with its place in the suite.
std::string WhyOf(const v1::CheckResult& result) {
  if (result.reason().empty()) return "";
  std::string position = result.position();
  for (const auto& step : result.steps()) {
    const bool failed = step.verdict() != v1::VERDICT_PASSED &&
                        step.verdict() != v1::VERDICT_SKIPPED;
    if (!failed || step.position().empty()) continue;
    position = step.position();
    break;
  }
  const std::string why = Printable(result.reason());
  return position.empty() ? why
                          : fmt::format("{} ({})", why, Printable(position));
}

// What a step's reason has below its sentence: expected and actual values.
std::vector<std::string> DiffOf(const v1::CheckResult& result) {
  std::vector<std::string> lines;
  for (const auto& step : result.steps()) {
    std::istringstream text(step.reason());
    std::string line;
    std::getline(text, line);
    while (std::getline(text, line)) lines.push_back(Printable(line));
    if (!lines.empty()) break;
  }
  return lines;
}

// For a run without a server: the worker's last word has no score.
v1::Score ScoreOf(const v1::Run& run) {
  v1::Score score;
  for (const v1::CheckResult& check : run.checks()) {
    if (check.bonus()) {
      score.set_bonus(score.bonus() + check.earned());
    } else {
      score.set_earned(score.earned() + check.earned());
      score.set_max(score.max() + check.points());
    }
  }
  return score;
}

std::string ScoreText(const v1::Score& score) {
  std::string text = fmt::format("{} of {} points", PointsText(score.earned()),
                                 PointsText(score.max()));
  if (score.bonus() > 0) text += ", bonus " + PointsText(score.bonus());
  return text;
}

}  // namespace

std::string VerdictText(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "passed";
    case v1::VERDICT_FAILED:
      return "failed";
    case v1::VERDICT_TIMED_OUT:
      return "timed out";
    case v1::VERDICT_SKIPPED:
      return "skipped";
    case v1::VERDICT_INCONCLUSIVE:
      return "inconclusive";
    case v1::VERDICT_ERRORED:
      return "errored";
    default:
      return "unknown";
  }
}

std::string OutcomeText(v1::Run::Outcome outcome) {
  switch (outcome) {
    case v1::Run::OUTCOME_COMPLETED:
      return "completed";
    case v1::Run::OUTCOME_BUILD_FAILED:
      return "build failed";
    case v1::Run::OUTCOME_NEVER_READY:
      return "never ready";
    case v1::Run::OUTCOME_SERVICE_CRASHED:
      return "service crashed";
    case v1::Run::OUTCOME_OUT_OF_MEMORY:
      return "out of memory";
    case v1::Run::OUTCOME_TIMED_OUT:
      return "timed out";
    case v1::Run::OUTCOME_ERRORED:
      return "errored (ours)";
    case v1::Run::OUTCOME_CANCELLED:
      return "cancelled";
    default:
      return "";
  }
}

std::string StateText(v1::Run::State state) {
  switch (state) {
    case v1::Run::STATE_QUEUED:
      return "queued";
    case v1::Run::STATE_RUNNING:
      return "running";
    case v1::Run::STATE_FINISHED:
      return "finished";
    case v1::Run::STATE_SUPERSEDED:
      return "superseded";
    default:
      return "unknown";
  }
}

std::string KindText(v1::Run::Kind kind) {
  switch (kind) {
    case v1::Run::KIND_PUSH:
      return "push";
    case v1::Run::KIND_FINAL:
      return "final";
    case v1::Run::KIND_REGRADE:
      return "regrade";
    case v1::Run::KIND_REFERENCE:
      return "reference";
    default:
      return "local";
  }
}

std::string PointsText(double points) { return fmt::format("{:.4g}", points); }

ExitCode ExitCodeOf(const v1::Run& run) {
  if (run.outcome() == v1::Run::OUTCOME_ERRORED) return kBroken;
  if (run.outcome() != v1::Run::OUTCOME_COMPLETED) return kNegative;
  bool passed = run.checks_size() > 0;
  for (const v1::CheckResult& check : run.checks()) {
    if (check.verdict() == v1::VERDICT_ERRORED) return kBroken;
    passed &= check.bonus() || check.verdict() == v1::VERDICT_PASSED;
  }
  return passed ? kSuccess : kNegative;
}

void PrintScore(Console& console, const v1::Run& run) {
  std::size_t id_width = 5;
  for (const auto& check : run.checks()) {
    id_width = std::max(id_width, Columns(check.check_id()));
  }
  console.Line(console.Paint(
      Color::kDim,
      fmt::format("  {}  {}  {}  TITLE", PadRight("CHECK", id_width),
                  PadLeft("POINTS", 9), PadRight("VERDICT", 9))));
  for (const v1::CheckResult& check : run.checks()) {
    console.Line(fmt::format(
        "{} {}  {}  {}  {}{}",
        console.Paint(ColorOf(check.verdict()), MarkOf(check.verdict())),
        PadRight(Printable(check.check_id()), id_width),
        PadLeft(PointsOf(check), 9), PadRight(VerdictText(check.verdict()), 9),
        Printable(check.title()), check.hidden() ? " [hidden]" : ""));
    if (check.verdict() != v1::VERDICT_PASSED && !check.reason().empty()) {
      console.Line("    " + console.Paint(Color::kYellow, WhyOf(check)));
    }
  }
  const v1::Score score = run.has_score() ? run.score() : ScoreOf(run);
  if (run.outcome() != v1::Run::OUTCOME_COMPLETED &&
      run.outcome() != v1::Run::OUTCOME_UNSPECIFIED) {
    console.Line(console.Paint(
        Color::kRed, OutcomeText(run.outcome()) + ": " +
                         Printable(run.outcome_reason(), Lines::kMany)));
  }
  console.Line(console.Paint(Color::kBold, ScoreText(score)));
}

void RunView::OnSnapshot(const v1::Run& run) {
  run_ = run;
  console_.Line(fmt::format(
      "{} {} · {}{}", console_.Paint(Color::kBold, ShortName(run.name())),
      KindText(run.kind()), StateText(run.state()),
      run.commit().empty() ? "" : " · commit " + run.commit().substr(0, 12)));
  if (run.state() == v1::Run::STATE_QUEUED) {
    console_.Transient(fmt::format("queued, {} ahead", run.queue_position()));
  }
  for (const v1::CheckResult& check : run.checks()) PrintCheck(check);
  if (run.state() == v1::Run::STATE_FINISHED) PrintEnd();
}

void RunView::OnEvent(const v1::RunEvent& event) {
  switch (event.event_case()) {
    case v1::RunEvent::kPhaseStarted:
      return OnPhaseStarted(event);
    case v1::RunEvent::kPhaseFinished:
      return OnPhaseFinished(event);
    case v1::RunEvent::kLog:
      return OnLog(event.log());
    case v1::RunEvent::kCheckStarted:
      return console_.Transient("│  … " +
                                Printable(event.check_started().title()));
    case v1::RunEvent::kCheckFinished:
      return OnCheckFinished(event.check_finished().result());
    case v1::RunEvent::kFinished:
      return OnFinished(event.finished());
    case v1::RunEvent::kStateChanged:
      return OnStateChanged(event.state_changed());
    default:
      return;
  }
}

void RunView::OnPhaseStarted(const v1::RunEvent& event) {
  const std::string& phase = event.phase_started().phase();
  // Worker and run both say when they begin the first phase.
  phase_start_.try_emplace(phase, event.time());
  in_checks_ = phase == "checks";
  if (in_checks_) {
    console_.Line("├─ checks");
  } else {
    console_.Transient("├─ … " + Printable(phase));
  }
}

void RunView::OnPhaseFinished(const v1::RunEvent& event) {
  const auto& finished = event.phase_finished();
  const std::string phase = Printable(finished.phase());
  const auto took =
      FromProto(event.time()) - FromProto(phase_start_[finished.phase()]);
  if (phase == "checks") {
    in_checks_ = false;
    if (finished.ok()) return;
  }
  console_.Line(fmt::format("├─ {} {} {}",
                            finished.ok() ? console_.Paint(Color::kGreen, "✓")
                                          : console_.Paint(Color::kRed, "✗"),
                            PadRight(phase, 12),
                            console_.Paint(Color::kDim, DurationText(took))));
  if (finished.ok()) return;
  console_.Line("│    " +
                console_.Paint(Color::kRed, Printable(finished.reason())));
  if (!options_.logs) {
    PrintTail(finished.phase() == "build" ? "build" : "service");
  }
}

void RunView::OnLog(const v1::RunEvent::Log& log) {
  if (log.end())
    open_logs_.erase(log.stream());
  else
    open_logs_[log.stream()] =
        log.offset() + static_cast<std::int64_t>(log.content().size());
  std::string& tail = tails_[log.stream()];
  tail += log.content();
  if (tail.size() > 2 * kTailBytes) tail.erase(0, tail.size() - kTailBytes);
  if (!options_.logs || log.content().empty()) return;
  std::istringstream lines(Printable(log.content(), Lines::kMany));
  for (std::string line; std::getline(lines, line);) {
    console_.Line(fmt::format(
        "│  {}  {}", console_.Paint(Color::kDim, Printable(log.stream())),
        line));
  }
}

void RunView::PrintTail(const std::string& stream) {
  std::vector<std::string> lines;
  std::istringstream text(Printable(tails_[stream], Lines::kMany));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  const std::size_t shown = std::min<std::size_t>(lines.size(), kTailLines);
  for (std::size_t i = lines.size() - shown; i < lines.size(); ++i) {
    console_.Line("│    " + console_.Paint(Color::kDim, lines[i]));
  }
}

void RunView::PrintIncomplete() {
  for (const auto& [stream, bytes] : std::exchange(open_logs_, {}))
    console_.Line(
        fmt::format("│  {}: the record is incomplete, it ends after {} bytes",
                    Printable(stream), bytes));
}

void RunView::OnCheckFinished(const v1::CheckResult& result) {
  *run_.add_checks() = result;
  PrintCheck(result);
}

void RunView::PrintCheck(const v1::CheckResult& result) {
  console_.Line(fmt::format(
      "│  {} {}  {}  {}",
      console_.Paint(ColorOf(result.verdict()), MarkOf(result.verdict())),
      PadRight(Shorten(Printable(result.title()), kTitleColumns),
               kTitleColumns),
      PadLeft(PointsOf(result), 7),
      console_.Paint(Color::kDim, DurationText(result.duration()))));
  if (result.verdict() == v1::VERDICT_PASSED || result.reason().empty()) return;
  console_.Line("│      " + console_.Paint(Color::kYellow, WhyOf(result)));
  for (const std::string& line : DiffOf(result)) {
    const Color color = line.starts_with("-")   ? Color::kGreen
                        : line.starts_with("+") ? Color::kRed
                                                : Color::kDim;
    console_.Line("│        " + console_.Paint(color, line));
  }
}

void RunView::OnFinished(const v1::RunEvent::Finished& finished) {
  open_logs_.clear();
  run_.set_outcome(finished.outcome());
  run_.set_outcome_reason(finished.reason());
  // A server follows with the state and its score; the worker alone does not.
  if (run_.name().empty()) {
    run_.set_state(v1::Run::STATE_FINISHED);
    PrintEnd();
  }
}

void RunView::OnStateChanged(const v1::RunEvent::StateChanged& changed) {
  run_.set_state(changed.state());
  switch (changed.state()) {
    case v1::Run::STATE_QUEUED:
      // Given back by a worker that was lost: everything starts again.
      PrintIncomplete();
      run_.clear_checks();
      phase_start_.clear();
      return console_.Transient(
          fmt::format("queued, {} ahead", changed.queue_position()));
    case v1::Run::STATE_FINISHED:
      if (changed.has_score()) *run_.mutable_score() = changed.score();
      PrintIncomplete();
      return PrintEnd();
    case v1::Run::STATE_SUPERSEDED:
      return console_.Line("└─ superseded by a newer push");
    default:
      return;
  }
}

void RunView::PrintEnd() {
  if (ended_) return;
  ended_ = true;
  const bool completed = run_.outcome() == v1::Run::OUTCOME_COMPLETED;
  const v1::Score score = run_.has_score() ? run_.score() : ScoreOf(run_);
  console_.Line(
      fmt::format("└─ {} · {}",
                  console_.Paint(completed ? Color::kGreen : Color::kRed,
                                 OutcomeText(run_.outcome())),
                  console_.Paint(Color::kBold, ScoreText(score))));
  if (!completed && !run_.outcome_reason().empty()) {
    console_.Line("   " + Printable(run_.outcome_reason(), Lines::kMany));
  }
}

}  // namespace assay::cli
