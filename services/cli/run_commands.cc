#include <fmt/format.h>

#include "assay/v1/run_service.grpc.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/run_view.h"
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
  std::string name;
  // Instead of a run: the attempt whose final run is waited for.
  std::string final_of;
  std::string whose;
  bool logs = false;
};

Expected<v1::Run> Get(Server& server, const std::string& name) {
  v1::GetRunRequest request;
  request.set_name(FullName("runs", name));
  ASSAY_ASSIGN_OR_RETURN(auto response, server.Call(&Stub::GetRun, request));
  return std::move(*response.mutable_run());
}

Outcome Show(Context& context, const RunOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const v1::Run run,
                         Get(context.ServerFor(options.whose), options.name));
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
  ASSAY_ASSIGN_OR_RETURN(const v1::Run run,
                         Get(context.ServerFor(options.whose), options.name));
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

// Follows the run to its end, over lost connections: the server continues
// after the last event that was seen.
class Watcher {
 public:
  Watcher(Context& context, const WatchOptions& options)
      : context_(context),
        server_(context.ServerFor(options.whose)),
        view_(context.console(), {.logs = options.logs}) {
    request_.set_name(FullName("runs", options.name));
    request_.set_results_only(!options.logs && !context.console().json());
  }

  Outcome Watch() {
    constexpr int kMostTries = 30;
    int failures = 0;
    while (!finished_) {
      const std::int64_t before = request_.after_sequence();
      const Status status = ReadStream();
      if (finished_) break;
      // A server that never answered is not one that was lost.
      const bool lost =
          !status && status.error().code == Code::kUnavailable && seen_;
      if (!lost && !status) return std::unexpected(status.error());
      failures = request_.after_sequence() > before ? 1 : failures + 1;
      if (failures > kMostTries) {
        return Unavailable(
            "the run cannot be followed any more; see it with: "
            "assay run show ",
            ShortName(request_.name()));
      }
      if (failures == 2)
        context_.console().Note("lost the server; trying again");
      server_.WaitUntilBack();
    }
    ASSAY_ASSIGN_OR_RETURN(const v1::Run run, Get(server_, request_.name()));
    return ExitCodeOf(run);
  }

 private:
  Status ReadStream() {
    return server_.Watch(&Stub::WatchRun, request_,
                         [this](const v1::WatchRunResponse& response) {
                           Show(response);
                           return !finished_;
                         });
  }

  void Show(const v1::WatchRunResponse& response) {
    seen_ = true;
    Console& console = context_.console();
    if (console.json()) console.JsonLine(response);
    if (response.has_snapshot()) {
      request_.set_after_sequence(response.snapshot_sequence());
      if (!console.json()) view_.OnSnapshot(response.snapshot());
      finished_ = Ended(response.snapshot().state());
    } else {
      request_.set_after_sequence(response.event().sequence());
      if (!console.json()) view_.OnEvent(response.event());
      finished_ = response.event().has_state_changed() &&
                  Ended(response.event().state_changed().state());
    }
  }

  static bool Ended(v1::Run::State state) {
    return state == v1::Run::STATE_FINISHED ||
           state == v1::Run::STATE_SUPERSEDED;
  }

  Context& context_;
  Server& server_;
  v1::WatchRunRequest request_;
  RunView view_;
  bool seen_ = false;
  bool finished_ = false;
};

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
  WatchOptions chosen = options;
  if (!options.final_of.empty()) {
    ASSAY_ASSIGN_OR_RETURN(
        chosen.name,
        AwaitFinalRun(context, FullName("attempts", options.final_of)));
  }
  if (chosen.name.empty()) {
    return InvalidArgument("say which run, or an attempt with --final");
  }
  return Watcher(context, chosen).Watch();
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
  auto* name = watch.app.add_option("name", watch.options->name, "Run");
  watch.app
      .add_option("--final", watch.options->final_of,
                  "The final run of this attempt, once there is one")
      ->excludes(name);
  watch.app.add_flag("--logs", watch.options->logs, "Show what programs print");
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
  mine(watch.app, watch.options->whose);
  mine(score.app, score.options->whose);
}

}  // namespace assay::cli
