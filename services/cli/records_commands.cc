#include <fstream>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "assay/v1/submission_service.grpc.pb.h"
#include "services/cli/attempt_view.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AttemptService::Stub;

struct AttemptOptions {
  std::string name = "me";
};
struct ExportOptions {
  std::string name;
  std::string out;
};
struct EraseOptions {
  std::string name;
  std::string reason;
  bool yes = false;
};

Outcome Timeline(Context& context, const AttemptOptions& options) {
  v1::GetTimelineRequest request;
  request.set_attempt(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.ServerFor(options.name).Call(&Stub::GetTimeline, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::TimelineEntry& entry : response.entries())
    rows.push_back({TimeText(entry.time()), Printable(entry.actor()),
                    ShortName(entry.subject()), Printable(entry.text())});
  console.Table({"TIME", "BY", "", "WHAT"}, rows);
  return kSuccess;
}

Expected<v1::ListPushesResponse> ReadPushes(Server& server,
                                            const std::string& attempt) {
  v1::ListPushesRequest request;
  request.set_attempt(attempt);
  v1::ListPushesResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(const auto page,
                           server.Call(&Stub::ListPushes, request));
    all.mutable_pushes()->MergeFrom(page.pushes());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

std::string WhatBecameOf(const v1::Push& push) {
  if (push.state() == v1::Push::STATE_REFUSED)
    return "refused: " + Printable(push.refusal());
  return push.late() ? "late" : "accepted";
}

// Pushes by receive time, which is the server's, beside the date that the
// commit claims; and which of them were handed in.
Outcome History(Context& context, const AttemptOptions& options) {
  Server& server = context.ServerFor(options.name);
  const std::string attempt = FullName("attempts", options.name);
  ASSAY_ASSIGN_OR_RETURN(const auto pushes, ReadPushes(server, attempt));
  v1::ListSubmissionsRequest request;
  request.set_attempt(attempt);
  ASSAY_ASSIGN_OR_RETURN(
      const auto submitted,
      server.Call(&v1::SubmissionService::Stub::ListSubmissions, request));
  Console& console = context.console();
  if (console.json()) {
    console.JsonLine(pushes);
    console.JsonLine(submitted);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Push& push : pushes.pushes()) {
    std::string handed_in;
    for (const v1::Submission& submission : submitted.submissions()) {
      if (submission.commit() == push.new_commit())
        handed_in += (handed_in.empty() ? "" : " ") + std::string("#") +
                     ShortName(submission.name());
    }
    rows.push_back({TimeText(push.receive_time()), TimeText(push.commit_time()),
                    push.new_commit().substr(0, 12), Printable(push.ref()),
                    handed_in, ShortName(push.run()), WhatBecameOf(push),
                    Printable(push.subject())});
  }
  console.Table({"RECEIVED", "COMMIT CLAIMS", "COMMIT", "REF", "SUBMITTED",
                 "RUN", "", "SUBJECT"},
                rows);
  return kSuccess;
}

Outcome Export(Context& context, const ExportOptions& options) {
  v1::ExportAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ExportAttempt, request));
  if (options.out.empty()) {
    context.console().Json(response);
    return kSuccess;
  }
  std::ofstream out(options.out, std::ios::trunc);
  out << ToJson(response, true) << '\n';
  out.close();
  if (!out) return SystemError("write " + options.out, errno);
  context.console().Note("All that is kept about the candidate of " +
                         options.name + " is in " + options.out + ".");
  return kSuccess;
}

Outcome Erase(Context& context, const EraseOptions& options) {
  ASSAY_RETURN_IF_ERROR(Confirm(
      "Erase the candidate of " + options.name +
          ": name, address, repository, logs and questions? This cannot be "
          "undone.",
      options.yes, WithoutTerminal::kRefuse));
  v1::EraseAttemptRequest request;
  request.set_name(FullName("attempts", options.name));
  request.set_reason(options.reason);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::EraseAttempt, request));
  return ShowAttempt(context, response.attempt());
}

}  // namespace

void AddRecordsCommands(CommandLine& line) {
  CLI::App& group = *line.app().get_subcommand("attempt");
  auto timeline =
      line.Add<AttemptOptions>(group, "timeline", "What happened, oldest first",
                               "  assay attempt timeline att_7f3k", Timeline);
  timeline.app.add_option("name", timeline.options->name,
                          "Attempt; a candidate's own is \"me\"");
  auto history = line.Add<AttemptOptions>(
      group, "history",
      "Every push with its receive time, and what was handed in",
      "  assay attempt history att_7f3k", History);
  history.app.add_option("name", history.options->name,
                         "Attempt; a candidate's own is \"me\"");
  CLI::App& candidate =
      line.Group(line.app(), "candidate", "What is kept about a person");
  auto save = line.Add<ExportOptions>(
      candidate, "export", "Everything that is kept about one candidate",
      "  assay candidate export att_7f3k --out ada.json", Export);
  save.app.add_option("attempt", save.options->name, "Their attempt")
      ->required();
  save.app.add_option("--out", save.options->out, "File [standard output]");
  auto erase = line.Add<EraseOptions>(
      candidate, "erase", "Remove a candidate's data; scores stay, of nobody",
      "  assay candidate erase att_7f3k --reason \"asked for it\" --yes",
      Erase);
  erase.app.add_option("attempt", erase.options->name, "Their attempt")
      ->required();
  erase.app
      .add_option("--reason", erase.options->reason, "Kept in the audit log")
      ->required();
  erase.app.add_flag("--yes", erase.options->yes, "Do not ask");
}

}  // namespace assay::cli
