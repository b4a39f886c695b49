#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

#include "runner/reports/export.h"
#include "runner/reports/html_style.h"
#include "runner/reports/run_words.h"
#include "runner/reports/span_tree.h"
#include "runner/suite/units.h"

namespace assay::reports {
namespace {

using v1::CheckResult;

constexpr std::size_t kMaxSpans = 3000;
// Of one step or check.
constexpr int kMostCases = 200;

std::string E(std::string_view text) { return EscapeMarkup(text); }

std::string Took(double seconds) {
  return suite::DurationText(
      std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

std::string Badge(v1::Verdict verdict) {
  return "<span class=\"badge " + VerdictWord(verdict) + "\">" +
         VerdictText(verdict) + "</span>";
}

// A sentence, and below it the lines of a diff if there are any.
std::string ReasonText(const std::string& reason) {
  if (reason.empty()) return "";
  const std::size_t line = reason.find('\n');
  std::string text =
      "<p class=\"reason\">" + E(reason.substr(0, line)) + "</p>";
  if (line == std::string::npos) return text;
  text += "<pre class=\"diff\">";
  std::istringstream lines(reason.substr(line + 1));
  for (std::string one; std::getline(lines, one);) {
    const char* kind = one.starts_with("+")   ? "added"
                       : one.starts_with("-") ? "missing"
                                              : "quiet";
    text += std::string("<span class=\"") + kind + "\">" + E(one) + "</span>\n";
  }
  return text + "</pre>";
}

std::string CaseRows(
    const google::protobuf::RepeatedPtrField<CheckResult::Case>& cases) {
  std::string rows;
  int shown = 0;
  for (const CheckResult::Case& one : cases) {
    if (++shown > kMostCases) break;
    rows += "<tr><td>" + Badge(one.verdict()) + "</td><td colspan=\"3\">" +
            E(one.name()) + ReasonText(one.reason()) + "</td></tr>\n";
  }
  if (cases.size() > kMostCases) {
    rows += "<tr><td></td><td class=\"quiet\" colspan=\"3\">" +
            std::to_string(cases.size() - kMostCases) +
            " more cases are not shown.</td></tr>\n";
  }
  return rows;
}

// Below a step stand the cases that it imported.
std::string StepRows(const CheckResult& check) {
  std::string rows;
  for (const CheckResult::Step& step : check.steps()) {
    rows += "<tr><td>" + Badge(step.verdict()) + "</td><td><code>" +
            E(step.title()) + "</code>" + ReasonText(step.reason()) +
            "</td><td class=\"quiet\">" + E(step.position()) +
            "</td><td class=\"number\">" + Took(Seconds(step.duration())) +
            "</td></tr>\n" + CaseRows(step.cases());
  }
  return rows;
}

// Whether a step or a case gives the check's own reason.
bool SaidBelow(const CheckResult& check) {
  const auto says = [&](const auto& part) {
    const std::string first = part.reason().substr(0, part.reason().find('\n'));
    return !first.empty() && check.reason().ends_with(first);
  };
  return std::any_of(check.steps().begin(), check.steps().end(), says) ||
         std::any_of(check.cases().begin(), check.cases().end(), says);
}

std::string CheckSection(const CheckResult& check) {
  const bool passed = check.verdict() == v1::VERDICT_PASSED;
  std::string text = "<details id=\"" + E(check.check_id()) + "\"" +
                     (passed ? "" : " open") + "><summary>" +
                     Badge(check.verdict()) + "<span class=\"title\">" +
                     E(check.title()) + "</span>";
  if (check.hidden()) text += "<span class=\"tag\">hidden</span>";
  if (check.bonus()) text += "<span class=\"tag\">bonus</span>";
  text += "<span class=\"points\">" + PointsText(check.earned()) + " / " +
          PointsText(check.points()) + "</span><span class=\"time\">" +
          Took(Seconds(check.duration())) + "</span></summary>\n";
  if (!check.reason().empty() && !SaidBelow(check)) {
    text += "<p class=\"reason\">" + E(check.reason()) + "</p>\n";
  }
  if (check.service_deaths() > 0) {
    text += "<p class=\"quiet\">The service ended " +
            std::to_string(check.service_deaths()) +
            (check.service_deaths() == 1 ? " time" : " times") +
            " during this check.</p>\n";
  }
  const std::string rows = CaseRows(check.cases()) + StepRows(check);
  if (!rows.empty()) {
    text += "<table><tbody>\n" + rows + "</tbody></table>\n";
  }
  return text + "<p class=\"quiet\">" + E(check.check_id()) + " · " +
         E(check.position()) + "</p></details>\n";
}

std::string Percent(double share) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.3f%%", 100 * share);
  return buffer;
}

std::string TraceSection(const RunReport& report) {
  std::size_t dropped = 0;
  const std::vector<SpanRow> rows = SpanRows(report.spans, kMaxSpans, &dropped);
  if (rows.empty()) return "";
  std::int64_t end = 1;
  for (const SpanRow& row : rows) {
    end = std::max(end, row.start + row.duration);
  }
  std::string text = "<h2>Trace</h2>\n<div class=\"trace\" role=\"table\">\n";
  for (const SpanRow& row : rows) {
    const bool failed =
        row.span->status().code() == otlp::v1::SpanStatus::STATUS_CODE_ERROR;
    const double left = static_cast<double>(row.start) / end;
    const double width =
        std::min(1 - left, static_cast<double>(row.duration) / end);
    text +=
        "<div class=\"span\" role=\"row\"><span class=\"name\" "
        "role=\"cell\" style=\"padding-left:" +
        std::to_string(std::min(row.depth, 30)) + "em\">" +
        E(row.span->name()) +
        "</span><span class=\"quiet\" "
        "role=\"cell\">" +
        E(row.service) + "</span><span class=\"bar" + (failed ? " bad" : "") +
        "\" role=\"cell\"><i style=\"left:" + Percent(left) +
        ";width:" + Percent(width) +
        "\"></i></span><span class=\"number\" role=\"cell\">" +
        Took(static_cast<double>(row.duration) / 1e6) + "</span></div>\n";
  }
  text += "</div>\n";
  if (dropped > 0) {
    text += "<p class=\"quiet\">" + std::to_string(dropped) +
            " more spans are not shown.</p>\n";
  }
  return text;
}

// "8 passed · 2 failed", in the order in which verdicts first occur.
std::string Tally(const v1::Run& run) {
  std::vector<v1::Verdict> order;
  std::map<v1::Verdict, int> count;
  for (const CheckResult& check : run.checks()) {
    if (count[check.verdict()]++ == 0) order.push_back(check.verdict());
  }
  std::string text;
  for (const v1::Verdict verdict : order) {
    text += "<span class=\"badge " + VerdictWord(verdict) + "\">" +
            std::to_string(count[verdict]) + " " + VerdictText(verdict) +
            "</span> ";
  }
  return text.empty() ? "" : "<p>" + text + "</p>\n";
}

// Which run this was; of a local one, the plan alone.
std::string Origin(const v1::Run& run) {
  std::vector<std::string> parts;
  if (!run.name().empty()) parts.push_back(E(run.name()));
  if (!run.commit().empty()) {
    parts.push_back("commit <code>" + E(run.commit().substr(0, 12)) +
                    "</code>");
  }
  if (!run.plan_digest().empty()) {
    parts.push_back("plan <code>" + E(run.plan_digest().substr(0, 12)) +
                    "</code>");
  }
  if (run.has_start_time()) {
    parts.push_back(
        E(google::protobuf::util::TimeUtil::ToString(run.start_time())
              .substr(0, 19)) +
        "Z");
  }
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : " · ") + part;
  }
  return "<p class=\"quiet\">" + text + "</p>";
}

std::string Header(const RunReport& report) {
  const v1::Run& run = report.run;
  std::string text = "<header><h1>" + E(report.title) +
                     "</h1>\n<p class=\"score\"><strong>" +
                     PointsText(run.score().earned()) + "</strong> of " +
                     PointsText(run.score().max()) + " points";
  if (run.score().bonus() > 0) {
    text += " and " + PointsText(run.score().bonus()) + " bonus";
  }
  text += "</p>\n";
  if (run.outcome() != v1::Run::OUTCOME_COMPLETED) {
    text += "<p class=\"reason\">" + OutcomeText(run.outcome()) + ": " +
            E(run.outcome_reason()) + "</p>\n";
  }
  return text + Tally(run) + Origin(run) + "</header>\n";
}

std::string PhaseList(const RunReport& report) {
  if (report.phases.empty()) return "";
  std::string text = "<h2>Phases</h2>\n<ol class=\"phases\">\n";
  for (const Phase& phase : report.phases) {
    text += std::string("<li") + (phase.ok ? "" : " class=\"bad\"") + ">" +
            E(phase.name) + " <span class=\"number\">" + Took(phase.seconds) +
            "</span>" +
            (phase.reason.empty()
                 ? ""
                 : "<p class=\"reason\">" + E(phase.reason) + "</p>") +
            "</li>\n";
  }
  return text + "</ol>\n";
}

}  // namespace

std::string ExportHtml(const RunReport& report) {
  std::string text =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      // Even if an escape were forgotten, nothing runs and nothing is fetched.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>" +
      E(report.title) + "</title>\n<style>" + std::string(kHtmlStyle) +
      "</style>\n</head>\n<body>\n<main>\n" + Header(report) +
      "<h2>Checks</h2>\n";
  for (const CheckResult& check : report.run.checks()) {
    text += CheckSection(check);
  }
  if (report.run.checks_size() == 0) text += "<p>No check was run.</p>\n";
  return text + PhaseList(report) + TraceSection(report) +
         "</main>\n</body>\n</html>\n";
}

}  // namespace assay::reports
