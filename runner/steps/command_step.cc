#include "runner/steps/command_step.h"

#include <algorithm>
#include <utility>

#include "runner/assertions/evaluator.h"
#include "runner/reports/import.h"
#include "runner/steps/http_step.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::CommandStep;
using reports::ImportedCase;

namespace {

constexpr std::size_t kMostCases = 1'000;
constexpr std::size_t kReasonBytes = 300;

assay::v1::Verdict VerdictOf(ImportedCase::Outcome outcome) {
  switch (outcome) {
    case ImportedCase::Outcome::kPassed:
      return assay::v1::VERDICT_PASSED;
    case ImportedCase::Outcome::kSkipped:
      return assay::v1::VERDICT_SKIPPED;
    default:
      return assay::v1::VERDICT_FAILED;
  }
}

// Messages of frameworks are texts of many lines.
std::string FirstLine(const std::string& text) {
  return text.substr(0, std::min(text.find('\n'), kReasonBytes));
}

std::string WithWords(const CommandRun& run) {
  return run.ending + (run.last_words.empty() ? "" : ": " + run.last_words);
}

std::string DescribeFailures(const reports::Imported& imported,
                             std::int64_t failed, std::int64_t all) {
  std::string text =
      std::to_string(failed) + " of " + std::to_string(all) + " cases failed";
  for (const ImportedCase& one : imported.cases) {
    if (VerdictOf(one.outcome) != assay::v1::VERDICT_FAILED) continue;
    text += ", first " + one.name.substr(0, kReasonBytes);
    const std::string line = FirstLine(one.message);
    if (!line.empty()) text += ": " + line;
    break;
  }
  return text;
}

// Of the end alone.
Outcome JudgeEnd(const CommandStep& step, const Frame& frame,
                 assertions::Schemas& schemas, const CommandRun& run) {
  if (!run.exit_code) return Failed("the command was " + WithWords(run));
  if (step.has_exit_code()) {
    assertions::Evaluator evaluator(frame.scope, schemas);
    const auto failure =
        evaluator.Number(step.exit_code(), "exit code", *run.exit_code);
    return failure ? Failed(failure->sentence, failure->position) : Outcome{};
  }
  if (*run.exit_code == 0) return {};
  return Failed("the command " + WithWords(run));
}

}  // namespace

CommandWanted WantedReports(int index, const std::string& import_format,
                            const std::string& import_path) {
  CommandWanted wanted{.index = index};
  wanted.output = !import_format.empty() && import_path == "-";
  wanted.files = !import_format.empty() && import_path != "-";
  return wanted;
}

ReportSummary SummariseReports(const std::string& format, int min_cases,
                               const CommandRun& run) {
  ReportSummary summary;
  summary.problem = run.report_problem;
  if (!summary.problem.empty()) return summary;
  const auto imported = reports::Import(format, run.reports);
  if (!imported) {
    summary.problem = imported.error().message;
    return summary;
  }
  for (const ImportedCase& one : imported->cases) {
    if (summary.cases.size() == kMostCases) break;
    assay::v1::CheckResult::Case& told = summary.cases.emplace_back();
    told.set_name(one.name);
    told.set_verdict(VerdictOf(one.outcome));
    told.set_reason(FirstLine(one.message));
  }
  summary.passed = imported->passed;
  summary.failed = imported->failed + imported->errored;
  summary.skipped = imported->skipped;
  const std::int64_t least = std::max(1, min_cases);
  if (summary.failed > 0) {
    summary.problem = DescribeFailures(*imported, summary.failed,
                                       summary.executed() + summary.skipped);
  } else if (!imported->problem.empty()) {
    summary.problem = imported->problem;
  } else if (summary.executed() < least) {
    summary.problem =
        summary.executed() == 0
            ? "no cases ran"
            : "only " + std::to_string(summary.executed()) + " cases ran";
    summary.problem += ", expected at least " + std::to_string(least);
  }
  return summary;
}

asio::awaitable<Outcome> RunCommandStep(const CommandStep& step,
                                        const Frame& frame,
                                        Surroundings& surroundings,
                                        assertions::Schemas& schemas,
                                        std::chrono::milliseconds limit) {
  CommandWanted wanted =
      WantedReports(step.index(), step.import_format(), step.import_path());
  wanted.fill = !step.in_repository();
  auto run = co_await surroundings.RunCommand(
      wanted, std::chrono::steady_clock::now() + limit);
  if (!run) co_return Errored(run.error().message);
  if (run->ours) co_return Errored("the command " + WithWords(*run));
  if (run->timed_out) {
    co_return TimedOut("the command did not end within " +
                       std::to_string(limit.count()) + " ms" +
                       (run->last_words.empty() ? "" : ": ") + run->last_words);
  }
  Outcome end = JudgeEnd(step, frame, schemas, *run);
  if (step.import_format().empty()) co_return end;

  ReportSummary summary =
      SummariseReports(step.import_format(), step.min_cases(), *run);
  Outcome outcome;
  if (!summary.problem.empty()) {
    outcome = Failed(std::move(summary.problem));
    // A framework that did not get as far says why in its last words.
    if (summary.executed() == 0) outcome.reason += "; it " + WithWords(*run);
  } else {
    outcome = std::move(end);
  }
  const auto all = std::max<std::int64_t>(
      {1, step.min_cases(), summary.executed() + summary.skipped});
  outcome.share =
      static_cast<double>(summary.passed) / static_cast<double>(all);
  // Cases that passed beside an end that is wrong are worth nothing: the
  // program may have gone down before the rest of them.
  if (summary.failed == 0 && !outcome.passed()) outcome.share = 0;
  outcome.cases = std::move(summary.cases);
  co_return outcome;
}

}  // namespace assay::steps
