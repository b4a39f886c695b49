#include <unistd.h>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "services/cli/attempt_view.h"
#include "services/cli/command_line.h"
#include "services/cli/environment_check.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AttemptService::Stub;

struct AttemptOptions {
  std::string name = "me";
};

Expected<v1::GetAttemptResponse> Get(Context& context,
                                     const std::string& name) {
  v1::GetAttemptRequest request;
  request.set_name(FullName("attempts", name));
  return context.ServerFor(name).Call(&Stub::GetAttempt, request);
}

// Everything that a candidate should have read before the clock starts.
Outcome Brief(Context& context, const AttemptOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto response, Get(context, options.name));
  const v1::Attempt& attempt = response.attempt();
  Console& console = context.console();
  if (console.json()) {
    console.Json(attempt);
    return kSuccess;
  }
  const auto head = [&](const char* text) {
    console.Line();
    console.Line(console.Paint(Color::kBold, text));
  };
  // Most briefs begin with a heading of their own.
  if (!attempt.brief().starts_with("# ")) {
    console.Line(console.Paint(Color::kBold, Printable(attempt.title())));
    console.Line();
  }
  console.Line(Printable(attempt.brief(), Lines::kMany));
  head("Rules");
  for (const std::string& rule : RuleLines(attempt.rules(), attempt.clock()))
    console.Line("  " + rule);
  head("Tools");
  console.Line("  " + (attempt.ai_policy().empty()
                           ? std::string("The author says nothing about them.")
                           : Printable(attempt.ai_policy(), Lines::kMany)));
  head("What is recorded");
  for (const char* line : kWhatIsRecorded)
    console.Line("  " + std::string(line));
  return kSuccess;
}

Outcome Check(Context& context, const AttemptOptions& options) {
  Server& server = context.ServerFor(options.name);
  const auto findings = CheckEnvironment(server, options.name);
  Console& console = context.console();
  bool fine = true;
  std::vector<std::vector<std::string>> rows;
  for (const Finding& finding : findings) {
    fine = fine && finding.fine;
    rows.push_back({finding.what,
                    finding.fine ? console.Paint(Color::kGreen, "ok")
                                 : console.Paint(Color::kRed, "problem"),
                    Printable(finding.text)});
  }
  if (console.json()) {
    console.JsonText(ToJson(findings));
    return fine ? kSuccess : kNegative;
  }
  console.Table({"CHECK", "", "FOUND"}, rows);
  console.Note(fine ? "You are ready. Nothing has started."
                    : "Nothing has started. Put this right first, or write to "
                      "whoever invited you.");
  return fine ? kSuccess : kNegative;
}

std::string StateLine(const v1::Attempt& attempt) {
  const std::string left = TimeLeft(attempt.clock());
  return StateText(attempt.state()) +
         (left.empty() ? "" : ", time left: " + left) + ", " +
         std::to_string(attempt.push_count()) + " pushes, " +
         std::to_string(attempt.submission_count()) + " submissions";
}

// Follows the attempt until it is submitted.
Outcome Watch(Context& context, const AttemptOptions& options) {
  v1::WatchAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  Console& console = context.console();
  std::string before;
  ASSAY_RETURN_IF_ERROR(
      context.ServerFor(options.name)
          .Watch(&Stub::WatchAttempt, request,
                 [&](const v1::WatchAttemptResponse& now) {
                   const v1::Attempt& attempt = now.attempt();
                   if (console.json()) {
                     console.JsonLine(now);
                   } else if (StateLine(attempt) != before) {
                     before = StateLine(attempt);
                     console.Line(TimeText(now.server_time()) + "  " + before);
                   }
                   return attempt.state() != v1::Attempt::STATE_SUBMITTED;
                 }));
  return kSuccess;
}

}  // namespace

void AddCandidateCommands(CommandLine& line) {
  CLI::App& group = *line.app().get_subcommand("attempt");
  const auto add = [&](const std::string& name, const std::string& what,
                       const std::string& examples,
                       Outcome (*run)(Context&, const AttemptOptions&)) {
    auto leaf = line.Add<AttemptOptions>(group, name, what, examples, run);
    leaf.app.add_option("name", leaf.options->name,
                        "Attempt; a candidate's own is \"me\"");
  };
  add("brief", "The task, its rules, and what is recorded",
      "  assay attempt brief | less", Brief);
  add("check",
      "Whether git, network and clock are fit; starts nothing (candidates)",
      "  assay attempt check", Check);
  add("watch", "Follow the clock, pushes and submissions as they happen",
      "  assay attempt watch\n  assay attempt watch att_7f3k --json", Watch);
}

}  // namespace assay::cli
