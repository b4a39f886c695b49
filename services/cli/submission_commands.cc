#include "assay/v1/submission_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::SubmissionService::Stub;

struct SubmitOptions {
  std::string attempt = "me";
  std::string commit;
};
struct ListOptions {
  std::string attempt = "me";
};

std::string CauseText(v1::Submission::Cause cause) {
  return cause == v1::Submission::CAUSE_DEADLINE ? "deadline" : "candidate";
}

Outcome Submit(Context& context, const SubmitOptions& options) {
  v1::CreateSubmissionRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  request.set_commit(options.commit);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::CreateSubmission, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response.submission());
    return kSuccess;
  }
  const v1::Submission& submission = response.submission();
  console.Fields({{"submission", submission.name()},
                  {"commit", submission.commit()},
                  {"received", TimeText(submission.push_receive_time())},
                  {"submitted", TimeText(submission.submit_time())},
                  {"run", ShortName(submission.run())}});
  return kSuccess;
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListSubmissionsRequest request;
  request.set_attempt(FullName("attempts", options.attempt));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::ListSubmissions, request));
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

}  // namespace

void AddSubmissionCommands(CommandLine& line) {
  auto submit = line.Add<SubmitOptions>(
      line.app(), "submit", "Hand in what was pushed (candidates)",
      "  assay submit\n  assay submit --commit 3f2a91c", Submit);
  submit.app.add_option("--attempt", submit.options->attempt,
                        "Attempt; a candidate's own is \"me\"");
  submit.app.add_option("--commit", submit.options->commit,
                        "A commit that was pushed [the last push]");
  CLI::App& group = line.Group(line.app(), "submission", "What was handed in");
  auto list = line.Add<ListOptions>(group, "list",
                                    "An attempt's submissions; the last counts",
                                    "  assay submission list att_7f3k", List);
  list.app.add_option("attempt", list.options->attempt,
                      "Attempt; a candidate's own is \"me\"");
}

}  // namespace assay::cli
