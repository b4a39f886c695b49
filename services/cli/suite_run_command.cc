#include <filesystem>

#include "assay/v1/trace_service.pb.h"
#include "services/cli/child.h"
#include "services/cli/command_line.h"
#include "services/cli/local_run.h"
#include "services/cli/report_file.h"
#include "services/cli/run_recorder.h"
#include "services/cli/run_view.h"
#include "services/cli/suite_source.h"
#include "services/cli/trace_tree.h"

namespace assay::cli {
namespace {

struct RunOptions {
  std::string dir = ".";
  std::string against;
  std::vector<std::string> checks;
  std::vector<std::string> reports;
  // Where JSON goes; "-" is standard output.
  std::string json;
  bool public_only = false;
  bool logs = false;
  bool trace = false;
};

// Refused before anything is built: a run that ends without its report is a
// run for nothing.
Expected<std::vector<ReportFile>> ReportsOf(const RunOptions& options) {
  std::vector<ReportFile> files;
  for (const std::string& name : options.reports) {
    ASSAY_ASSIGN_OR_RETURN(ReportFile file, ReportFileOf(name));
    files.push_back(std::move(file));
  }
  if (!options.json.empty() && options.json != "-") {
    files.push_back({options.json, ReportFile::Format::kJson});
  }
  for (const ReportFile& file : files) {
    if (std::filesystem::is_directory(file.path)) {
      return InvalidArgument(file.path,
                             " is a folder; expected a file for the report "
                             "(or --json - for standard output)");
    }
  }
  return files;
}

void PrintTrace(Console& console, const reports::RunReport& report) {
  v1::GetTraceResponse trace;
  for (const auto& spans : report.spans) *trace.add_resource_spans() = spans;
  for (const auto& line : TreeLines(BuildTrace(trace), {})) console.Line(line);
}

Status WriteReports(Console& console, const std::vector<ReportFile>& files,
                    const reports::RunReport& report) {
  for (const ReportFile& file : files) {
    ASSAY_RETURN_IF_ERROR(
        WriteWholeFile(file.path, RenderReport(file.format, report)));
    console.Note("wrote " + file.path);
  }
  return {};
}

Outcome Run(Context& context, const RunOptions& options) {
  Console& console = context.console();
  const bool json = console.json() || options.json == "-";
  LocalRun run{.plan = {},
               .solution = options.against,
               .only_checks = options.checks,
               .public_only = options.public_only,
               .program = SiblingProgram("assay-runner")};
  ASSAY_ASSIGN_OR_RETURN(const auto files, ReportsOf(options));
  ASSAY_ASSIGN_OR_RETURN(run.plan, LoadPlan(options.dir));
  ASSAY_RETURN_IF_ERROR(CheckSelection(run));
  // With JSON on standard output the tree has no place to go.
  std::ostream nowhere(nullptr);
  Console silent(nowhere, nowhere, Looks{});
  RunView view(json ? silent : console, {.logs = options.logs});
  RunRecorder recorder(run.plan);
  const Status executed = Execute(run, [&](const v1::RunEvent& event) {
    recorder.OnEvent(event);
    if (event.has_finished()) view.OnScore(recorder.run().score());
    view.OnEvent(event);
  });
  if (!executed) {
    console.Note("assay: " + executed.error().message);
    return kBroken;
  }
  if (json) {
    std::string text =
        RenderReport(ReportFile::Format::kJson, recorder.report());
    text.pop_back();
    console.JsonText(text);
  } else if (options.trace) {
    PrintTrace(console, recorder.report());
  }
  ASSAY_RETURN_IF_ERROR(WriteReports(console, files, recorder.report()));
  return ExitCodeOf(recorder.run());
}

}  // namespace

void AddSuiteRunCommand(CommandLine& line, CLI::App& group) {
  auto run = line.Add<RunOptions>(
      group, "run",
      "Grade a folder or a server; exit code 1 when a check lost points",
      "  assay suite run docs/examples/orders-api/suite \\\n"
      "    --against docs/examples/orders-api/solutions/sound\n"
      "  assay suite run --against ../solution --check create-order --logs\n"
      "  assay suite run --against http://localhost:3000\n"
      "  assay suite run suite --against solution --report report.html \\\n"
      "    --report junit.xml --json run.json",
      Run);
  run.app.add_option("dir", run.options->dir,
                     "Folder with an assay.yaml, or a pack");
  run.app
      .add_option("--against", run.options->against,
                  "Folder of the solution; or the URL of a server on this "
                  "machine, which gets the checks that need no more than it")
      ->required();
  run.app
      .add_option("--check", run.options->checks,
                  "Only this check; may be said again")
      ->allow_extra_args(false);
  run.app.add_flag("--public-only", run.options->public_only,
                   "Leave hidden checks out");
  run.app
      .add_option("--report", run.options->reports,
                  "Write FILE.html, .xml (JUnit), .ctrf.json, .json or .md; "
                  "may be said again")
      ->allow_extra_args(false);
  run.app
      .add_option("--json", run.options->json,
                  "Write the run as JSON to this file; - or nothing for "
                  "standard output")
      ->expected(0, 1)
      ->default_str("-");
  run.app.add_flag("--logs", run.options->logs, "Show what programs print");
  run.app.add_flag("--trace", run.options->trace, "Show the trace afterwards");
}

}  // namespace assay::cli
