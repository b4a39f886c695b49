#include <unistd.h>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "assay/v1/submission_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/receipt_view.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::SubmissionService::Stub;

struct SubmitOptions {
  std::string attempt = "me";
  std::string commit;
  std::string statement;
  std::string receipt;
};
struct ListOptions {
  std::string attempt = "me";
};

std::string CauseText(v1::Submission::Cause cause) {
  return cause == v1::Submission::CAUSE_DEADLINE ? "deadline" : "candidate";
}

Expected<v1::Submission> HandIn(Server& server, const SubmitOptions& options) {
  v1::CreateSubmissionRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  request.set_commit(options.commit);
  request.set_ai_statement(options.statement);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(auto response,
                         server.Call(&Stub::CreateSubmission, request));
  return std::move(*response.mutable_submission());
}

// Where the author has a policy on tools, a candidate at a terminal is asked
// what they used; nothing is an answer, too.
Status AskStatement(Server& server, SubmitOptions& options) {
  if (!options.statement.empty() || !isatty(STDIN_FILENO)) return {};
  v1::GetAttemptRequest request;
  request.set_name(FullName("attempts", options.attempt));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      server.Call(&v1::AttemptService::Stub::GetAttempt, request));
  const std::string& policy = response.attempt().ai_policy();
  if (policy.empty()) return {};
  options.statement =
      Ask("On tools: " + Printable(policy, Lines::kMany) +
          "\nWhich tools did you use, and for what? (one line)");
  return {};
}

Outcome Submit(Context& context, const SubmitOptions& given) {
  SubmitOptions options = given;
  Server& server = context.ServerFor(options.attempt);
  Console& console = context.console();
  if (!console.json()) {
    ASSAY_RETURN_IF_ERROR(AskStatement(server, options));
  }
  ASSAY_ASSIGN_OR_RETURN(const v1::Submission submission,
                         HandIn(server, options));
  // The work is in; a receipt that cannot be had now can be asked for later.
  const auto receipt = FetchReceipt(server, submission.name());
  if (receipt && !options.receipt.empty()) {
    ASSAY_RETURN_IF_ERROR(WriteReceipt(*receipt, options.receipt));
  }
  if (console.json()) {
    console.Json(submission);
    return kSuccess;
  }
  console.Fields({{"submission", submission.name()},
                  {"commit", submission.commit()},
                  {"received", TimeText(submission.push_receive_time())},
                  {"submitted", TimeText(submission.submit_time())},
                  {"statement", Printable(submission.ai_statement())},
                  {"run", ShortName(submission.run())}});
  console.Line();
  if (!receipt) {
    console.Note("Handed in. The receipt: assay receipt show");
    return kSuccess;
  }
  console.Line("Receipt:");
  PrintReceipt(console, *receipt);
  return kSuccess;
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListSubmissionsRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.ServerFor(options.attempt).Call(&Stub::ListSubmissions, request));
  if (context.console().json()) {
    context.console().Json(response);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Submission& item : response.submissions()) {
    rows.push_back(
        {ShortName(item.name()), TimeText(item.submit_time()),
         CauseText(item.cause()),
         item.commit().empty() ? "(no push)" : item.commit().substr(0, 12),
         ShortName(item.run())});
  }
  context.console().Table({"NUMBER", "SUBMITTED", "BY", "COMMIT", "RUN"}, rows);
  return kSuccess;
}

void AddSubmit(CommandLine& line, CLI::App& parent, const char* examples) {
  auto submit = line.Add<SubmitOptions>(parent, "submit",
                                        "Hand in what was pushed (candidates)",
                                        examples, Submit);
  submit.app.add_option("--attempt", submit.options->attempt,
                        "Attempt; a candidate's own is \"me\"");
  submit.app.add_option("--commit", submit.options->commit,
                        "A commit that was pushed [the last push]");
  submit.app.add_option("--statement", submit.options->statement,
                        "Which tools you used, as the task asks");
  submit.app.add_option("--receipt", submit.options->receipt,
                        "Write the receipt to this file");
}

}  // namespace

void AddSubmissionCommands(CommandLine& line) {
  AddSubmit(line, line.app(),
            "  assay submit\n"
            "  assay submit --commit 3f2a91c --receipt receipt.json");
  AddSubmit(line, *line.app().get_subcommand("attempt"),
            "  assay attempt submit --statement \"an assistant for tests\"");
  CLI::App& group = line.Group(line.app(), "submission", "What was handed in");
  auto list = line.Add<ListOptions>(group, "list",
                                    "An attempt's submissions; the last counts",
                                    "  assay submission list att_7f3k", List);
  list.app.add_option("attempt", list.options->attempt,
                      "Attempt; a candidate's own is \"me\"");
}

}  // namespace assay::cli
