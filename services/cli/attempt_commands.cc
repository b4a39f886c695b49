#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <filesystem>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "services/cli/attempt_view.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/git_clone.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AttemptService::Stub;

struct AttemptOptions {
  std::string name = "me";
};
struct StartOptions {
  std::string name = "me";
  bool yes = false;
};
struct ListOptions {
  std::string assignment;
};
struct CloneOptions {
  std::string name = "me";
  std::string dir;
};

Outcome Show(Context& context, const AttemptOptions& options) {
  v1::GetAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.ServerFor(options.name).Call(&Stub::GetAttempt, request));
  return ShowAttempt(context, response.attempt());
}

Outcome Begin(Context& context, const StartOptions& options) {
  Server& server = context.ServerFor(options.name);
  Console& console = context.console();
  if (!options.yes) {
    v1::GetAttemptRequest get;
    get.set_name(FullName("attempts", options.name));
    ASSAY_ASSIGN_OR_RETURN(const auto found,
                           server.Call(&Stub::GetAttempt, get));
    for (const std::string& rule :
         RuleLines(found.attempt().rules(), found.attempt().clock()))
      console.Note("  " + rule);
    ASSAY_RETURN_IF_ERROR(
        Confirm("Start the clock now?", options.yes, WithoutTerminal::kRefuse));
  }
  v1::StartAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         server.Call(&Stub::StartAttempt, request));
  const Outcome outcome = ShowAttempt(context, response.attempt());
  if (!console.json()) {
    console.Line();
    console.Line("Get your repository with: assay attempt clone");
  }
  return outcome;
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListAttemptsRequest request;
  request.set_assignment(FullName("assignments", options.assignment));
  v1::ListAttemptsResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto page,
                           context.server().Call(&Stub::ListAttempts, request));
    all.mutable_attempts()->MergeFrom(page.attempts());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (context.console().json()) {
    context.console().Json(all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Attempt& item : all.attempts()) {
    rows.push_back({ShortName(item.name()), ShortName(item.assignment()),
                    StateText(item.state()), TimeText(item.clock().deadline()),
                    std::to_string(item.push_count()),
                    ShortName(item.latest_run()),
                    Printable(item.candidate_name())});
  }
  context.console().Table({"ATTEMPT", "ASSIGNMENT", "STATE", "DEADLINE",
                           "PUSHES", "LATEST RUN", "CANDIDATE"},
                          rows);
  return kSuccess;
}

Outcome Pushes(Context& context, const AttemptOptions& options) {
  v1::ListPushesRequest request;
  request.set_attempt(FullName("attempts", options.name));
  v1::ListPushesResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page,
        context.ServerFor(options.name).Call(&Stub::ListPushes, request));
    all.mutable_pushes()->MergeFrom(page.pushes());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (context.console().json()) {
    context.console().Json(all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Push& push : all.pushes()) {
    const bool refused = push.state() == v1::Push::STATE_REFUSED;
    rows.push_back({TimeText(push.receive_time()),
                    push.new_commit().substr(0, 12), Printable(push.ref()),
                    refused       ? "refused"
                    : push.late() ? "late"
                                  : "accepted",
                    ShortName(push.run()),
                    Printable(refused ? push.refusal() : push.subject())});
  }
  context.console().Table({"RECEIVED", "COMMIT", "REF", "", "RUN", "SUBJECT"},
                          rows);
  return kSuccess;
}

Expected<v1::CreateGitTokenResponse> GitToken(Context& context,
                                              const std::string& name) {
  v1::CreateGitTokenRequest request;
  request.set_name(FullName("attempts", name));
  return context.ServerFor(name).Call(&Stub::CreateGitToken, request);
}

Outcome Token(Context& context, const AttemptOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto token, GitToken(context, options.name));
  Console& console = context.console();
  if (console.json()) {
    console.Json(token);
  } else {
    console.Fields({{"user", token.username()},
                    {"password", token.password()},
                    {"repository", token.clone_url()}});
  }
  return kSuccess;
}

Outcome Clone(Context& context, const CloneOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto token, GitToken(context, options.name));
  const std::string& url = token.clone_url();
  std::string dir = options.dir;
  if (dir.empty()) dir = std::filesystem::path(url).stem().string();
  ASSAY_ASSIGN_OR_RETURN(
      const int exit_code,
      CloneRepository(
          {.url = url,
           .username = token.username(),
           .password = token.password(),
           .ca_file = context.ServerFor(options.name).options().ca_file},
          dir, Quietness::kSayAll));
  if (exit_code != 0) return kRefused;
  if (context.console().json())
    context.console().JsonText(
        nlohmann::json({{"directory", dir}, {"cloneUrl", url}})
            .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  return kSuccess;
}

}  // namespace

void AddAttemptCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "attempt", "One candidate's time-boxed try");
  const auto add = [&](const std::string& name, const std::string& what,
                       const std::string& examples,
                       Outcome (*run)(Context&, const AttemptOptions&)) {
    auto leaf = line.Add<AttemptOptions>(group, name, what, examples, run);
    leaf.app.add_option("name", leaf.options->name,
                        "Attempt; a candidate's own is \"me\"");
  };
  auto start = line.Add<StartOptions>(
      group, "start", "Start the clock, after asking (candidates)",
      "  assay attempt start\n  assay attempt start --yes", Begin);
  start.app.add_option("name", start.options->name,
                       "Attempt; a candidate's own is \"me\"");
  start.app.add_flag("--yes", start.options->yes, "Do not ask");
  add("show", "State, clock and repository", "  assay attempt show att_7f3k",
      Show);
  add("pushes", "Every push, with its receive time",
      "  assay attempt pushes att_7f3k", Pushes);
  add("token",
      "A user name and password for git: to push, good for 31 days; to "
      "review, for an hour",
      "  assay attempt token --json", Token);
  auto list = line.Add<ListOptions>(group, "list", "Every attempt",
                                    "  assay attempt list orders-api", List);
  list.app.add_option("assignment", list.options->assignment,
                      "Only of this assignment");
  auto clone = line.Add<CloneOptions>(
      group, "clone",
      "Get the repository: candidates may push, those who review may not",
      "  assay attempt clone\n  assay attempt clone me orders\n"
      "  assay attempt clone att_7f3k",
      Clone);
  clone.app.add_option("name", clone.options->name,
                       "Attempt; a candidate's own is \"me\"");
  clone.app.add_option("dir", clone.options->dir, "Where to put it");
  AddSourceCommands(line, group);
}

}  // namespace assay::cli
