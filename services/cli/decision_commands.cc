#include "assay/v1/decision_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::DecisionService::Stub;

struct MakeOptions {
  std::string attempt;
  std::string outcome;
  std::string reason;
  std::string feedback;
  bool release = false;
  bool yes = false;
};
struct ListOptions {
  std::string attempt = "me";
};

std::string OutcomeText(v1::Decision::Outcome outcome) {
  switch (outcome) {
    case v1::Decision::OUTCOME_ADVANCE:
      return "advance";
    case v1::Decision::OUTCOME_REJECT:
      return "reject";
    case v1::Decision::OUTCOME_HOLD:
      return "hold";
    default:
      return "";
  }
}

Expected<v1::Decision::Outcome> ParseOutcome(const std::string& text) {
  for (const auto outcome :
       {v1::Decision::OUTCOME_ADVANCE, v1::Decision::OUTCOME_REJECT,
        v1::Decision::OUTCOME_HOLD}) {
    if (OutcomeText(outcome) == text) return outcome;
  }
  return InvalidArgument("expected advance, reject or hold, found \"", text,
                         "\"");
}

void Print(Console& console, const v1::Decision& decision) {
  console.Fields(
      {{"decision",
        decision.number() == 0 ? "" : std::to_string(decision.number())},
       {"outcome", OutcomeText(decision.outcome())},
       {"reason", Printable(decision.reason())},
       {"feedback", Printable(decision.feedback(), Lines::kMany)},
       {"released", decision.feedback_released() ? "yes" : "no"},
       {"by", Printable(decision.decider())},
       {"at", TimeText(decision.decide_time())}});
}

Expected<v1::ListDecisionsResponse> Read(Context& context,
                                         const std::string& attempt) {
  v1::ListDecisionsRequest request;
  request.set_attempt(FullName("attempts", attempt));
  return context.ServerFor(attempt).Call(&Stub::ListDecisions, request);
}

Outcome Make(Context& context, const MakeOptions& options) {
  v1::CreateDecisionRequest request;
  ASSAY_ASSIGN_OR_RETURN(const auto outcome, ParseOutcome(options.outcome));
  if (options.release) {
    ASSAY_RETURN_IF_ERROR(
        Confirm("Show the feedback to the candidate of " + options.attempt +
                    " now? They are told, and it cannot be taken back.",
                options.yes, WithoutTerminal::kGoAhead));
  }
  ASSAY_ASSIGN_OR_RETURN(const auto earlier, Read(context, options.attempt));
  request.set_attempt(FullName("attempts", options.attempt));
  request.set_outcome(outcome);
  request.set_reason(options.reason);
  request.set_feedback(options.feedback);
  request.set_release_feedback(options.release);
  request.set_expected_number(earlier.decisions_size());
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::CreateDecision, request));
  if (context.console().json())
    context.console().Json(response.decision());
  else
    Print(context.console(), response.decision());
  return kSuccess;
}

Outcome List(Context& context, const ListOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto response, Read(context, options.attempt));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  for (const v1::Decision& decision : response.decisions()) {
    Print(console, decision);
    console.Line();
  }
  if (response.decisions().empty()) console.Note("Nothing was decided yet.");
  return kSuccess;
}

}  // namespace

void AddDecisionCommands(CommandLine& line) {
  CLI::App& group =
      line.Group(line.app(), "decision", "What was decided about attempts");
  auto make = line.Add<MakeOptions>(
      group, "make", "Decide, after the deadline; a later decision replaces it",
      "  assay decision make att_7f3k advance --reason \"strong on "
      "concurrency\"\n"
      "  assay decision make att_7f3k reject --reason \"no persistence\" \\\n"
      "      --feedback \"Your API was clear; orders were lost on restart.\" "
      "--release",
      Make);
  make.app.add_option("attempt", make.options->attempt, "Attempt")->required();
  make.app
      .add_option("outcome", make.options->outcome, "advance, reject or hold")
      ->required();
  make.app
      .add_option("--reason", make.options->reason,
                  "For the record; candidates never see it")
      ->required();
  make.app.add_option("--feedback", make.options->feedback,
                      "For the candidate");
  make.app.add_flag("--release", make.options->release,
                    "Show the feedback to the candidate now");
  make.app.add_flag("--yes", make.options->yes, "Do not ask");
  auto list = line.Add<ListOptions>(
      group, "list", "Every decision on an attempt; the last one holds",
      "  assay decision list att_7f3k\n"
      "  assay decision list           a candidate's own feedback",
      List);
  list.app.add_option("attempt", list.options->attempt,
                      "Attempt; a candidate's own is \"me\"");
}

}  // namespace assay::cli
