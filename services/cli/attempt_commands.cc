#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "proto/base/id.h"
#include "runner/suite/units.h"
#include "services/cli/child.h"
#include "services/cli/command_line.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AttemptService::Stub;

struct AttemptOptions {
  std::string name = "me";
};
struct ListOptions {
  std::string assignment;
};
struct ExtendOptions {
  std::string name;
  std::string by;
  std::string reason;
};
struct CloneOptions {
  std::string name = "me";
  std::string dir;
};

std::string StateText(v1::Attempt::State state) {
  switch (state) {
    case v1::Attempt::STATE_ACCEPTED:
      return "accepted";
    case v1::Attempt::STATE_STARTED:
      return "started";
    case v1::Attempt::STATE_SUBMITTED:
      return "submitted";
    default:
      return "unknown";
  }
}

std::string TimeLeft(const v1::AttemptClock& clock) {
  if (!clock.has_deadline()) return "";
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto left = FromProto(clock.deadline()) - now;
  if (left.count() <= 0) return "over";
  return DurationText(std::chrono::duration_cast<std::chrono::seconds>(left));
}

Outcome Answer(Context& context, const v1::Attempt& attempt) {
  Console& console = context.console();
  if (console.json()) {
    console.Json(attempt);
    return kSuccess;
  }
  const v1::AttemptClock& clock = attempt.clock();
  const bool started = clock.has_start_time();
  console.Fields({
      {"attempt", ShortName(attempt.name())},
      {"assignment",
       fmt::format("{} (version {})", ShortName(attempt.assignment()),
                   attempt.assignment_version())},
      {"title", Printable(attempt.title())},
      {"candidate", Printable(attempt.candidate_name())},
      {"state", StateText(attempt.state())},
      {"time allowed", DurationText(clock.duration())},
      {"started", started ? TimeText(clock.start_time()) : ""},
      {"deadline", clock.has_deadline() ? TimeText(clock.deadline()) : ""},
      {"time left", TimeLeft(clock)},
      {"pushes", std::to_string(attempt.push_count())},
      {"submissions", std::to_string(attempt.submission_count())},
      {"latest run", ShortName(attempt.latest_run())},
      {"repository", attempt.clone_url()},
  });
  return kSuccess;
}

Outcome Show(Context& context, const AttemptOptions& options) {
  v1::GetAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::GetAttempt, request));
  return Answer(context, response.attempt());
}

Outcome Begin(Context& context, const AttemptOptions& options) {
  v1::StartAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::StartAttempt, request));
  const Outcome outcome = Answer(context, response.attempt());
  if (!context.console().json()) {
    context.console().Line();
    context.console().Line("Get your repository with: assay attempt clone");
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

Outcome Extend(Context& context, const ExtendOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto by, suite::ParseDuration(options.by));
  v1::ExtendAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  *request.mutable_extension() = ToProto(by);
  request.set_reason(options.reason);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ExtendAttempt, request));
  return Answer(context, response.attempt());
}

Outcome Pushes(Context& context, const AttemptOptions& options) {
  v1::ListPushesRequest request;
  request.set_attempt(FullName("attempts", options.name));
  v1::ListPushesResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto page,
                           context.server().Call(&Stub::ListPushes, request));
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
  return context.server().Call(&Stub::CreateGitToken, request);
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

// `http://user:password@host/path`, as git's credential store keeps it.
std::string CredentialLine(const v1::CreateGitTokenResponse& token) {
  std::string url = token.clone_url();
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string::npos) return "";
  return url.insert(scheme_end + 3,
                    token.username() + ":" + token.password() + "@");
}

Status WritePrivate(const std::filesystem::path& file,
                    const std::string& text) {
  const mode_t before = umask(077);
  std::ofstream out(file, std::ios::trunc);
  out << text << '\n';
  out.close();
  umask(before);
  if (!out) return SystemError("write " + file.string(), errno);
  return {};
}

// Stock git with a credential store of its own: the token is in a file of mode
// 0600 inside `.git`, never in a URL or in `.git/config`, and later pushes find
// it without anything being set up.
Outcome Clone(Context& context, const CloneOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto token, GitToken(context, options.name));
  const std::string& url = token.clone_url();
  std::string dir = options.dir;
  if (dir.empty()) dir = std::filesystem::path(url).stem().string();
  const std::filesystem::path target = std::filesystem::absolute(dir);
  if (std::filesystem::exists(target) && !std::filesystem::is_empty(target)) {
    return InvalidArgument(dir, " is there already; say another folder");
  }
  const auto store = target / ".git" / "assay-credentials";
  const auto first = target.string() + ".assay-credentials";
  ASSAY_RETURN_IF_ERROR(WritePrivate(first, CredentialLine(token)));
  const auto cloned = Start(
      {.command = {"git", "-c", "credential.helper=", "-c",
                   "credential.helper=store --file=\"" + first + "\"", "-c",
                   "credential.useHttpPath=true", "clone", "--config",
                   "credential.useHttpPath=true", "--config",
                   "credential.helper=", "--config",
                   "credential.helper=store --file=\"" + store.string() + "\"",
                   "--", url, target.string()},
       .environment = {{"GIT_TERMINAL_PROMPT", "0"}}});
  const int exit_code = cloned ? Wait(*cloned) : 0;
  if (cloned && exit_code == 0) std::filesystem::rename(first, store);
  std::error_code ignored;
  std::filesystem::remove(first, ignored);
  if (!cloned) return std::unexpected(cloned.error());
  return exit_code == 0 ? kSuccess : kRefused;
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
  add("start", "Start the clock (candidates)", "  assay attempt start", Begin);
  add("show", "State, clock and repository", "  assay attempt show att_7f3k",
      Show);
  add("pushes", "Every push, with its receive time",
      "  assay attempt pushes att_7f3k", Pushes);
  add("token", "A user name and password for git (candidates)",
      "  assay attempt token --json", Token);
  auto list = line.Add<ListOptions>(group, "list", "Every attempt",
                                    "  assay attempt list orders-api", List);
  list.app.add_option("assignment", list.options->assignment,
                      "Only of this assignment");
  auto clone = line.Add<CloneOptions>(
      group, "clone", "Get the repository, ready to push (candidates)",
      "  assay attempt clone\n  assay attempt clone me orders", Clone);
  clone.app.add_option("name", clone.options->name,
                       "Attempt; a candidate's own is \"me\"");
  clone.app.add_option("dir", clone.options->dir, "Where to put it");
  auto extend = line.Add<ExtendOptions>(
      group, "extend", "Move the deadline, with a reason",
      "  assay attempt extend att_7f3k --by 30m --reason \"power cut\"",
      Extend);
  extend.app.add_option("name", extend.options->name, "Attempt")->required();
  extend.app.add_option("--by", extend.options->by, "How much, like 30m")
      ->required();
  extend.app
      .add_option("--reason", extend.options->reason, "Kept in the audit log")
      ->required();
  AddSourceCommands(line, group);
}

}  // namespace assay::cli
