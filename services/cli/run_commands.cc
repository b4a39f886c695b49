#include <fmt/format.h>

#include "assay/v1/run_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/run_view.h"
#include "services/cli/run_watch.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::RunService::Stub;

// Whose server and token are used: "me" is the candidate's own.
constexpr char kMine[] = "me";

struct RunOptions {
  std::string name;
  std::string whose;
};
struct ListOptions {
  std::string attempt;
  std::string assignment;
};
struct WatchOptions {
  RunWatchOptions run;
  // Instead of a run: the attempt whose final run is waited for.
  std::string final_of;
};

Outcome Show(Context& context, const RunOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(
      const v1::Run run,
      GetRun(context.ServerFor(options.whose), options.name));
  Console& console = context.console();
  if (console.json()) {
    console.Json(run);
    return kSuccess;
  }
  const auto took = FromProto(run.finish_time()) - FromProto(run.start_time());
  console.Fields({
      {"run", ShortName(run.name())},
      {"kind", KindText(run.kind())},
      {"state", StateText(run.state())},
      {"outcome", OutcomeText(run.outcome())},
      {"reason", Printable(run.outcome_reason())},
      {"attempt", ShortName(run.attempt())},
      {"assignment", fmt::format("{} (version {})", ShortName(run.assignment()),
                                 run.assignment_version())},
      {"commit", run.commit()},
      {"queued", TimeText(run.queue_time())},
      {"took", run.has_finish_time() ? DurationText(took) : ""},
      {"score", run.has_score()
                    ? fmt::format("{}/{}", PointsText(run.score().earned()),
                                  PointsText(run.score().max()))
                    : ""},
      {"trace", run.trace_id()},
  });
  return kSuccess;
}

Outcome Score(Context& context, const RunOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(
      const v1::Run run,
      GetRun(context.ServerFor(options.whose), options.name));
  if (run.state() != v1::Run::STATE_FINISHED) {
    return FailedPrecondition(ShortName(run.name()), " is ",
                              StateText(run.state()),
                              "; it has a score when it is finished. Wait "
                              "with: assay run watch ",
                              ShortName(run.name()));
  }
  if (context.console().json()) {
    context.console().Json(run);
  } else {
    PrintScore(context.console(), run);
  }
  return ExitCodeOf(run);
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListRunsRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  request.set_assignment(FullName("assignments", options.assignment));
  Server& server = context.ServerFor(options.attempt);
  v1::ListRunsResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto page,
                           server.Call(&Stub::ListRuns, request));
    all.mutable_runs()->MergeFrom(page.runs());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (context.console().json()) {
    context.console().Json(all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Run& run : all.runs()) {
    rows.push_back({ShortName(run.name()), KindText(run.kind()),
                    StateText(run.state()), OutcomeText(run.outcome()),
                    run.has_score()
                        ? fmt::format("{}/{}", PointsText(run.score().earned()),
                                      PointsText(run.score().max()))
                        : "",
                    TimeText(run.queue_time()), ShortName(run.attempt()),
                    run.commit().substr(0, 12)});
  }
  context.console().Table({"RUN", "KIND", "STATE", "OUTCOME", "SCORE", "QUEUED",
                           "ATTEMPT", "COMMIT"},
                          rows);
  return kSuccess;
}

// The final run of an attempt, once it is queued.
Expected<std::string> AwaitFinalRun(Context& context,
                                    const std::string& attempt) {
  context.console().Transient("waiting for the deadline");
  std::string found;
  ASSAY_RETURN_IF_ERROR(context.server().Watch(
      &Stub::WatchRuns, v1::WatchRunsRequest(),
      [&](const v1::WatchRunsResponse& response) {
        for (const v1::Run& run : response.runs()) {
          if (run.attempt() == attempt && run.kind() == v1::Run::KIND_FINAL)
            found = run.name();
        }
        return found.empty();
      }));
  if (found.empty()) return Unavailable("the server stopped telling of runs");
  return found;
}

Outcome Watch(Context& context, const WatchOptions& options) {
  RunWatchOptions chosen = options.run;
  if (!options.final_of.empty()) {
    ASSAY_ASSIGN_OR_RETURN(
        chosen.name,
        AwaitFinalRun(context, FullName("attempts", options.final_of)));
  }
  if (chosen.name.empty()) {
    return InvalidArgument("say which run, or an attempt with --final");
  }
  return WatchRun(context, chosen);
}

}  // namespace

void AddRunCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "run", "Gradings of pushes and submissions");
  auto list = line.Add<ListOptions>(
      group, "list", "Runs, newest first",
      "  assay run list\n  assay run list --attempt att_7f3k --json", List);
  list.app.add_option("--attempt", list.options->attempt,
                      "Only of this attempt");
  list.app.add_option("--assignment", list.options->assignment,
                      "Only of this assignment");
  auto show = line.Add<RunOptions>(group, "show", "One run",
                                   "  assay run show run_7f3k", Show);
  show.app.add_option("name", show.options->name, "Run")->required();
  auto watch = line.Add<WatchOptions>(
      group, "watch", "Follow a run to its end; exit code as `score`",
      "  assay run watch run_7f3k\n"
      "  assay run watch run_7f3k --logs\n"
      "  assay run watch --final att_7f3k     waits for the deadline\n"
      "  assay run watch run_7f3k --json | jq .event.checkFinished",
      Watch);
  auto* name = watch.app.add_option("name", watch.options->run.name, "Run");
  watch.app
      .add_option("--final", watch.options->final_of,
                  "The final run of this attempt, once there is one")
      ->excludes(name);
  watch.app.add_flag("--logs", watch.options->run.logs,
                     "Show what programs print");
  const auto mine = [](CLI::App& app, std::string& whose) {
    app.add_flag_callback(
        "--mine", [&whose] { whose = kMine; },
        "As the candidate whose link was accepted here");
  };
  auto score = line.Add<RunOptions>(
      group, "score",
      "Which checks passed and why others did not; exit code 1 when one lost "
      "points",
      "  assay run score run_7f3k", Score);
  score.app.add_option("name", score.options->name, "Run")->required();
  AddRunCompareCommand(line, group);
  mine(show.app, show.options->whose);
  mine(watch.app, watch.options->run.whose);
  mine(score.app, score.options->whose);
}

}  // namespace assay::cli
