#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "assay/v1/trace_service.pb.h"
#include "services/cli/child.h"
#include "services/cli/command_line.h"
#include "services/cli/file_tree.h"
#include "services/cli/local_run.h"
#include "services/cli/printable.h"
#include "services/cli/run_view.h"
#include "services/cli/starter_suite.h"
#include "services/cli/suite_lint.h"
#include "services/cli/time_text.h"
#include "services/cli/trace_tree.h"

namespace assay::cli {
namespace {

struct SuiteOptions {
  std::string dir = ".";
};
struct ExplainOptions {
  std::string check;
  std::string dir = ".";
};
struct RunOptions {
  std::string dir = ".";
  std::string against;
  std::vector<std::string> checks;
  bool logs = false;
  bool trace = false;
};

Expected<plan::v1::Plan> Compile(const std::string& dir) {
  ASSAY_ASSIGN_OR_RETURN(const v1::FileTree files, ReadTree(dir));
  return CompileSuite(files, dir);
}

Outcome Lint(Context& context, const SuiteOptions& options) {
  const auto plan = Compile(options.dir);
  if (!plan) {
    context.console().Note(plan.error().message);
    return kNegative;
  }
  double points = 0;
  for (const auto& check : plan->checks()) {
    points += check.bonus() ? 0 : check.points();
  }
  if (context.console().json()) {
    context.console().Json(*plan);
  } else {
    context.console().Line(fmt::format(
        "{}: no problems; {} checks ({} hidden), {} points", options.dir,
        plan->checks_size(), plan->hidden_check_count(), PointsText(points)));
  }
  return kSuccess;
}

// Takes events to where they are shown, and keeps the spans.
class Follower {
 public:
  Follower(Console& console, const RunOptions& options)
      : console_(console), view_(console, {.logs = options.logs}) {
    spans_.add_resource_spans()->add_scope_spans();
  }

  void OnEvent(const v1::RunEvent& event) {
    if (event.has_spans()) {
      spans_.mutable_resource_spans(0)
          ->mutable_scope_spans(0)
          ->mutable_spans()
          ->MergeFrom(event.spans().spans());
    }
    view_.OnEvent(event);
  }
  void PrintTrace() {
    for (const auto& line : TreeLines(BuildTrace(spans_), {})) {
      console_.Line(line);
    }
  }
  const v1::Run& run() const { return view_.run(); }

 private:
  Console& console_;
  RunView view_;
  v1::GetTraceResponse spans_;
};

Outcome Run(Context& context, const RunOptions& options) {
  Console& console = context.console();
  LocalRun run{.plan = {},
               .solution = options.against,
               .only_checks = options.checks,
               .program = SiblingProgram("assay-runner")};
  ASSAY_ASSIGN_OR_RETURN(run.plan, Compile(options.dir));
  if (!std::filesystem::is_directory(run.solution)) {
    return InvalidArgument(options.against,
                           " is not a folder; expected the solution to grade");
  }
  // With --json the tree has no place to go.
  std::ostream nowhere(nullptr);
  Console silent(nowhere, nowhere, Looks{});
  Follower follower(console.json() ? silent : console, options);
  const Status executed =
      Execute(run, [&](const v1::RunEvent& event) { follower.OnEvent(event); });
  if (!executed) {
    console.Note("assay: " + executed.error().message);
    return kBroken;
  }
  if (console.json()) {
    console.Json(follower.run());
  } else if (options.trace) {
    follower.PrintTrace();
  }
  return ExitCodeOf(follower.run());
}

Outcome Explain(Context& context, const ExplainOptions& options) {
  Console& console = context.console();
  ASSAY_ASSIGN_OR_RETURN(const plan::v1::Plan plan, Compile(options.dir));
  for (const auto& check : plan.checks()) {
    if (check.id() != options.check) continue;
    if (console.json()) {
      console.Json(check);
      return kSuccess;
    }
    console.Fields({
        {"check", check.id()},
        {"title", Printable(check.title())},
        {"points",
         PointsText(check.points()) + (check.bonus() ? " bonus" : "")},
        {"visibility", check.hidden() ? "hidden" : "public"},
        {"time limit", DurationText(check.timeout())},
        {"cases",
         check.cases_size() > 0 ? std::to_string(check.cases_size()) : ""},
        {"needs", fmt::format("{}", fmt::join(check.needs(), ", "))},
    });
    for (const auto& step : check.steps()) {
      console.Line(fmt::format("  {}:{}  {}", plan.source_name(),
                               step.position().line(),
                               Printable(step.title())));
    }
    return kSuccess;
  }
  std::string known;
  for (const auto& check : plan.checks()) known += " " + check.id();
  return InvalidArgument("no check \"", options.check, "\"; there are:", known);
}

Outcome Init(Context& context, const SuiteOptions& options) {
  const auto file = std::filesystem::path(options.dir) / "assay.yaml";
  if (std::filesystem::exists(file)) {
    return InvalidArgument(file.string(), " is there already");
  }
  std::error_code error;
  std::filesystem::create_directories(options.dir, error);
  std::ofstream out(file);
  out << kStarterSuite;
  out.close();
  if (!out) return SystemError("write " + file.string(), errno);
  context.console().Line(file.string() + " written; try it with:");
  context.console().Line("  assay suite run " + options.dir +
                         " --against SOLUTION");
  return kSuccess;
}

}  // namespace

void AddSuiteCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "suite",
                 "Write and try a suite; none of these needs a server");
  auto init = line.Add<SuiteOptions>(group, "init", "Write a first assay.yaml",
                                     "  assay suite init suite", Init);
  init.app.add_option("dir", init.options->dir, "Folder to put it in");
  auto lint = line.Add<SuiteOptions>(
      group, "lint", "Say what is wrong with a suite",
      "  assay suite lint docs/examples/orders-api/suite", Lint);
  lint.app.add_option("dir", lint.options->dir, "Folder with an assay.yaml");
  auto run = line.Add<RunOptions>(
      group, "run", "Grade a folder; exit code 1 when a check lost points",
      "  assay suite run docs/examples/orders-api/suite \\\n"
      "    --against docs/examples/orders-api/solutions/sound\n"
      "  assay suite run --against ../solution --check create-order --logs",
      Run);
  run.app.add_option("dir", run.options->dir, "Folder with an assay.yaml");
  run.app
      .add_option("--against", run.options->against, "Folder of the solution")
      ->required();
  run.app.add_option("--check", run.options->checks,
                     "Only this check; may be said again");
  run.app.add_flag("--logs", run.options->logs, "Show what programs print");
  run.app.add_flag("--trace", run.options->trace, "Show the trace afterwards");
  auto explain = line.Add<ExplainOptions>(
      group, "explain", "What a check does, in order",
      "  assay suite explain create-order docs/examples/orders-api/suite",
      Explain);
  explain.app.add_option("check", explain.options->check, "Check")->required();
  explain.app.add_option("dir", explain.options->dir,
                         "Folder with an assay.yaml");
}

}  // namespace assay::cli
