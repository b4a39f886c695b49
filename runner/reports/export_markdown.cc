#include "runner/reports/export.h"
#include "runner/reports/run_words.h"
#include "runner/suite/units.h"
#include "runner/suite/utf8.h"

namespace assay::reports {
namespace {

using v1::CheckResult;

// One line of text that stays text in a table cell: candidates' words must not
// become markup, links or mentions.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : suite::Shorten(text, 600)) {
    if (c == '\n' || c == '\r' || c == '\t') {
      cell += ' ';
      continue;
    }
    if (std::string_view("\\`*_{}[]()#+!|<>~@$&").find(c) !=
        std::string_view::npos) {
      cell += '\\';
    }
    cell += c;
  }
  return cell;
}

std::string Mark(v1::Verdict verdict) {
  switch (verdict) {
    case v1::VERDICT_PASSED:
      return "✅";
    case v1::VERDICT_FAILED:
    case v1::VERDICT_TIMED_OUT:
      return "❌";
    case v1::VERDICT_SKIPPED:
      return "⏭️";
    default:
      return "⚠️";
  }
}

std::string Took(const google::protobuf::Duration& duration) {
  return suite::DurationText(std::chrono::microseconds(
      static_cast<std::int64_t>(Seconds(duration) * 1e6)));
}

std::string FailureText(const CheckResult& check) {
  std::string text = "### " + Mark(check.verdict()) + " " +
                     Cell(check.title()) + "\n\n" + Cell(check.reason()) +
                     "\n\n";
  for (const CheckResult::Case& one : check.cases()) {
    if (one.verdict() == v1::VERDICT_PASSED) continue;
    text += "- " + Cell(one.name()) + ": " + Cell(one.reason()) + "\n";
  }
  for (const CheckResult::Step& step : check.steps()) {
    if (step.verdict() == v1::VERDICT_PASSED) continue;
    text += "- `" + step.position() + "` " + Cell(step.title()) + "\n";
  }
  return text + "\n";
}

}  // namespace

std::string ExportMarkdown(const RunReport& report) {
  const v1::Run& run = report.run;
  std::string text = "# " + Cell(report.title) + "\n\n**" +
                     PointsText(run.score().earned()) + " of " +
                     PointsText(run.score().max()) + " points**";
  if (run.score().bonus() > 0) {
    text += " and " + PointsText(run.score().bonus()) + " bonus";
  }
  if (!run.commit().empty()) {
    text += " · commit `" + run.commit().substr(0, 12) + "`";
  }
  text += "\n\n";
  if (run.outcome() != v1::Run::OUTCOME_COMPLETED) {
    text += "**" + OutcomeText(run.outcome()) +
            "**: " + Cell(run.outcome_reason()) + "\n\n";
  }
  if (run.checks_size() > 0) {
    text += "| | check | points | time |\n| --- | --- | ---: | ---: |\n";
  }
  std::string failures;
  for (const CheckResult& check : run.checks()) {
    text += "| " + Mark(check.verdict()) + " | " + Cell(check.title()) +
            (check.hidden() ? " *(hidden)*" : "") + " | " +
            PointsText(check.earned()) + " / " + PointsText(check.points()) +
            (check.bonus() ? " bonus" : "") + " | " + Took(check.duration()) +
            " |\n";
    if (check.verdict() != v1::VERDICT_PASSED) failures += FailureText(check);
  }
  if (run.checks_size() == 0) text += "No check was run.\n";
  return text + (failures.empty() ? "" : "\n" + failures);
}

}  // namespace assay::reports
