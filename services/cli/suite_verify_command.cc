#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "services/cli/child.h"
#include "services/cli/command_line.h"
#include "services/cli/kill_table.h"
#include "services/cli/known_solution.h"
#include "services/cli/local_run.h"
#include "services/cli/printable.h"
#include "services/cli/report_file.h"
#include "services/cli/run_recorder.h"
#include "services/cli/temporary_directory.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using suite::KnownSolution;

// What is our fault is done again, and given up after so many times.
constexpr int kTries = 3;

struct VerifyOptions {
  std::string dir = ".";
  int repeat = 1;
  std::vector<std::string> only;
  std::string report;
};

Status Select(const std::vector<std::string>& only,
              suite::Verification& verification) {
  if (only.empty()) return {};
  auto& all = verification.solutions;
  for (const std::string& id : only) {
    const bool known = std::any_of(
        all.begin(), all.end(),
        [&](const KnownSolution& solution) { return solution.id == id; });
    if (!known) return InvalidArgument("verify.yaml has no solution ", id);
  }
  std::erase_if(all, [&](const KnownSolution& solution) {
    return std::find(only.begin(), only.end(), solution.id) == only.end();
  });
  verification.unguarded.clear();
  return {};
}

// One run that says something about the solution.
Expected<v1::Run> RunOnce(const plan::v1::Plan& plan, const fs::path& folder) {
  v1::Run run;
  for (int i = 0; i < kTries; ++i) {
    RunRecorder recorder(plan);
    const LocalRun local{.plan = plan,
                         .solution = folder.string(),
                         .only_checks = {},
                         .program = SiblingProgram("assay-runner")};
    ASSAY_RETURN_IF_ERROR(Execute(
        local, [&](const v1::RunEvent& event) { recorder.OnEvent(event); }));
    run = recorder.run();
    if (OurFault(run).empty()) break;
  }
  return run;
}

Expected<KillRow> Judge(Console& console, const KnownSolutions& subject,
                        const KnownSolution& solution, int repeat) {
  KillRow row{.solution = solution};
  for (int i = 0; i < repeat; ++i) {
    console.Transient(
        fmt::format("… {}, run {} of {}", solution.id, i + 1, repeat));
    // A fresh copy for each: what a build leaves behind must not matter.
    const TemporaryDirectory work;
    if (work.path().empty()) return SystemError("make a directory", errno);
    const fs::path folder = work.path() / "solution";
    ASSAY_RETURN_IF_ERROR(LayOut(solution, subject.base, folder));
    ASSAY_ASSIGN_OR_RETURN(const v1::Run run, RunOnce(subject.plan, folder));
    AddRun(subject.plan, run, row);
    if (const std::string fault = OurFault(run); !fault.empty()) {
      row.problem =
          fmt::format("could not be judged in {} tries: {}", kTries, fault);
      break;
    }
  }
  return row;
}

Status WriteTable(const std::string& path, const KillTable& table) {
  if (path.empty()) return {};
  return WriteWholeFile(path, path.ends_with(".json")
                                  ? KillTableJson(table).dump(2) + "\n"
                                  : KillTableMarkdown(table));
}

Outcome Verify(Context& context, const VerifyOptions& options) {
  Console& console = context.console();
  if (!options.report.empty() && !options.report.ends_with(".md") &&
      !options.report.ends_with(".json")) {
    return InvalidArgument("--report ", options.report,
                           ": expected a file that ends in .md or .json");
  }
  ASSAY_ASSIGN_OR_RETURN(KnownSolutions subject,
                         LoadKnownSolutions(options.dir));
  ASSAY_RETURN_IF_ERROR(Select(options.only, subject.verification));
  KillTable table{.suite = subject.plan.name(),
                  .rows = {},
                  .unguarded = subject.verification.unguarded};
  std::size_t width = 0;
  for (const auto& solution : subject.verification.solutions) {
    width = std::max(width, Columns(solution.id));
  }
  for (const auto& solution : subject.verification.solutions) {
    auto row = Judge(console, subject, solution, options.repeat);
    if (!row && row.error().code == Code::kInternal) {
      console.Note("assay: " + row.error().message);
      return kBroken;
    }
    if (!row) return std::unexpected(row.error());
    table.rows.push_back(*std::move(row));
    if (!console.json()) PrintKillRow(console, table.rows.back(), width);
  }
  if (console.json()) {
    console.JsonText(KillTableJson(table).dump(2));
  } else {
    PrintKillEnd(console, table);
  }
  ASSAY_RETURN_IF_ERROR(WriteTable(options.report, table));
  return table.ok() ? kSuccess : kNegative;
}

}  // namespace

void AddSuiteVerifyCommand(CommandLine& line, CLI::App& group) {
  auto verify = line.Add<VerifyOptions>(
      group, "verify",
      "Hold a suite against its template, reference and broken variants",
      "  assay suite verify docs/examples/orders-api\n"
      "  assay suite verify --repeat 20 --only reference my-task\n"
      "  assay suite verify my-task --report kill-table.md",
      Verify);
  verify.app.add_option("dir", verify.options->dir,
                        "Assignment's folder, with a verify.yaml");
  verify.app
      .add_option("--repeat", verify.options->repeat, "Runs of each solution")
      ->check(CLI::Range(1, 1000));
  verify.app
      .add_option("--only", verify.options->only,
                  "Only this solution; may be said again")
      ->allow_extra_args(false);
  verify.app.add_option("--report", verify.options->report,
                        "Write the kill table to FILE.md or FILE.json");
}

}  // namespace assay::cli
