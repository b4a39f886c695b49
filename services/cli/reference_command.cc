#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "assay/v1/assignment_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
#include "services/cli/known_solution.h"
#include "services/cli/reference_push.h"
#include "services/cli/resource_name.h"
#include "services/cli/run_view.h"
#include "services/cli/run_watch.h"
#include "services/cli/temporary_directory.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using Stub = v1::AssignmentService::Stub;

struct ReferenceOptions {
  std::string name;
  std::string folder;
  std::string clone;
  int version = 0;
  bool again = false;
  bool no_wait = false;
};

Expected<v1::GetReferenceResponse> Get(Context& context,
                                       const ReferenceOptions& options) {
  v1::GetReferenceRequest request;
  request.set_name(FullName("assignments", options.name));
  request.set_version(options.version);
  return context.server().Call(&Stub::GetReference, request);
}

std::string RunText(const v1::Run& run) {
  return fmt::format(
      "{}  {}{}", ShortName(run.name()),
      run.state() == v1::Run::STATE_FINISHED ? OutcomeText(run.outcome())
                                             : StateText(run.state()),
      run.has_score() ? fmt::format(", {}/{}", PointsText(run.score().earned()),
                                    PointsText(run.score().max()))
                      : "");
}

Outcome Show(Context& context, const ReferenceOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto response, Get(context, options));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  const v1::Reference& reference = response.reference();
  if (!response.has_reference()) {
    console.Note(fmt::format(
        "{0} has no reference solution on the server. Push one with: assay "
        "assignment reference {0} FOLDER",
        options.name));
    return kSuccess;
  }
  console.Fields(
      {{"assignment",
        fmt::format("{} (version {})", options.name, reference.version())},
       {"reference", reference.has_run() ? RunText(reference.run()) : "none"},
       {"latest run",
        reference.has_latest_run() ? RunText(reference.latest_run()) : "none"},
       {"pushed", reference.push().new_commit()},
       {"attempt", ShortName(reference.attempt())},
       {"repository", reference.clone_url()}});
  if (!reference.has_push())
    console.Note("Nothing was pushed yet.");
  else if (!reference.has_latest_run())
    console.Note(fmt::format(
        "No run is of version {}. Grade what was pushed by the current one: "
        "assay assignment reference {} --again",
        reference.version(), options.name));
  return kSuccess;
}

Expected<GitAccess> Open(Context& context, const ReferenceOptions& options) {
  v1::OpenReferenceRequest request;
  request.set_name(FullName("assignments", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto opened,
                         context.server().Call(&Stub::OpenReference, request));
  return GitAccess{.url = opened.reference().clone_url(),
                   .username = opened.username(),
                   .password = opened.password(),
                   .ca_file = context.server().options().ca_file};
}

Outcome Clone(Context& context, const ReferenceOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const GitAccess access, Open(context, options));
  ASSAY_ASSIGN_OR_RETURN(
      const int exit_code,
      CloneRepository(access, options.clone, Quietness::kSayAll));
  if (exit_code != 0) return kRefused;
  if (context.console().json())
    context.console().JsonText(
        nlohmann::json({{"directory", options.clone}, {"cloneUrl", access.url}})
            .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    context.console().Note("Each push to main is graded by every check.");
  return kSuccess;
}

Outcome Follow(Context& context, const ReferenceOptions& options,
               const std::string& run) {
  if (!options.no_wait) return WatchRun(context, {.name = run, .whose = {}});
  return Show(context, options);
}

Outcome Again(Context& context, const ReferenceOptions& options) {
  v1::GradeReferenceRequest request;
  request.set_name(FullName("assignments", options.name));
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(const auto graded,
                         context.server().Call(&Stub::GradeReference, request));
  return Follow(context, options, graded.run().name());
}

// The run of the push, as soon as there is one.
Expected<std::string> AwaitRun(Context& context,
                               const ReferenceOptions& options,
                               ReferencePush& push, const std::string& commit) {
  constexpr std::chrono::milliseconds kPause{100};
  context.console().Transient("pushing");
  for (;;) {
    // Before the look, so that nothing falls in between.
    ASSAY_ASSIGN_OR_RETURN(const bool ended, push.Ended());
    ASSAY_ASSIGN_OR_RETURN(const auto response, Get(context, options));
    const v1::Run& run = response.reference().latest_run();
    if (run.commit() == commit) return run.name();
    if (ended)
      return Unavailable("the push was taken, and its run was replaced by ",
                         run.name(), "; follow that one");
    std::this_thread::sleep_for(kPause);
  }
}

Outcome Push(Context& context, const ReferenceOptions& options) {
  fs::path folder = options.folder;
  const TemporaryDirectory laid_out;
  // An assignment's own folder says which solution is its reference.
  const bool says = fs::exists(folder / suite::kVerificationFile);
  if (!says && fs::exists(folder / "assignment.yaml"))
    return InvalidArgument(options.folder,
                           " is an assignment's folder without a verify.yaml "
                           "that names its reference; say the solution's own "
                           "folder");
  if (says) {
    ASSAY_ASSIGN_OR_RETURN(const KnownSolutions known,
                           LoadKnownSolutions(options.folder));
    folder = laid_out.path() / "reference";
    ASSAY_RETURN_IF_ERROR(
        LayOut(known.verification.solutions.front(), known.base, folder));
  }
  ASSAY_ASSIGN_OR_RETURN(const GitAccess access, Open(context, options));
  ReferencePush push;
  ASSAY_ASSIGN_OR_RETURN(const std::string commit, push.Begin(access, folder));
  ASSAY_ASSIGN_OR_RETURN(const std::string run,
                         AwaitRun(context, options, push, commit));
  return Follow(context, options, run);
}

Outcome Reference(Context& context, const ReferenceOptions& options) {
  if (!options.clone.empty()) return Clone(context, options);
  if (options.again) return Again(context, options);
  if (!options.folder.empty()) return Push(context, options);
  return Show(context, options);
}

}  // namespace

void AddReferenceCommand(CommandLine& line) {
  CLI::App& group = *line.app().get_subcommand("assignment");
  auto leaf = line.Add<ReferenceOptions>(
      group, "reference",
      "Your own solution on the server, graded as candidates' are, to compare "
      "them with; exit code of a push as `run score`",
      "  assay assignment reference orders-api\n"
      "  assay assignment reference orders-api docs/examples/orders-api\n"
      "  assay assignment reference orders-api ./solution --no-wait --json\n"
      "  assay assignment reference orders-api --again\n"
      "  assay assignment reference orders-api --clone ./reference",
      Reference);
  CLI::App& app = leaf.app;
  app.add_option("name", leaf.options->name, "Assignment")->required();
  auto* folder = app.add_option(
      "folder", leaf.options->folder,
      "Push what stands here: a solution, or an assignment's folder, whose "
      "verify.yaml names it");
  auto* clone = app.add_option("--clone", leaf.options->clone,
                               "Get the repository, to push to it with git");
  auto* again = app.add_flag("--again", leaf.options->again,
                             "Grade what was pushed by the current version");
  clone->excludes(folder)->excludes(again);
  again->excludes(folder);
  app.add_flag("--no-wait", leaf.options->no_wait, "Do not follow the run");
  app.add_option("--of", leaf.options->version,
                 "Show the runs of this version [the current one]")
      ->excludes(folder)
      ->excludes(again)
      ->excludes(clone);
}

}  // namespace assay::cli
