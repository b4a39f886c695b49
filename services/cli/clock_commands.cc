#include <fmt/format.h>

#include "assay/v1/attempt_service.grpc.pb.h"
#include "proto/base/id.h"
#include "runner/suite/units.h"
#include "services/cli/attempt_view.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::AttemptService::Stub;

struct ReasonOptions {
  std::string name;
  std::string reason;
};
struct ByOptions {
  std::string name;
  std::string by;
  std::string reason;
};
struct FactorOptions {
  std::string name;
  double factor = 1;
  std::string reason;
};
struct CreditOptions {
  std::string assignment;
  std::string from;
  std::string to;
  std::string reason;
};
struct ReopenOptions {
  std::string name;
  std::string by;
  std::string reason;
  bool yes = false;
};

template <class Request>
Request RequestFor(const std::string& name, const std::string& reason) {
  Request request;
  request.set_name(FullName("attempts", name));
  request.set_reason(reason);
  request.set_request_id(RandomToken());
  return request;
}

Outcome Extend(Context& context, const ByOptions& options) {
  // "-10m" takes back what was added.
  const bool less = options.by.starts_with('-');
  ASSAY_ASSIGN_OR_RETURN(const auto by,
                         suite::ParseDuration(options.by.substr(less ? 1 : 0)));
  auto request =
      RequestFor<v1::ExtendAttemptRequest>(options.name, options.reason);
  *request.mutable_extension() = ToProto(less ? -by : by);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ExtendAttempt, request));
  return ShowAttempt(context, response.attempt());
}

Outcome Pause(Context& context, const ReasonOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(
          &Stub::PauseAttempt,
          RequestFor<v1::PauseAttemptRequest>(options.name, options.reason)));
  return ShowAttempt(context, response.attempt());
}

Outcome Resume(Context& context, const ReasonOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(
          &Stub::ResumeAttempt,
          RequestFor<v1::ResumeAttemptRequest>(options.name, options.reason)));
  return ShowAttempt(context, response.attempt());
}

Outcome Accommodate(Context& context, const FactorOptions& options) {
  auto request =
      RequestFor<v1::SetAccommodationRequest>(options.name, options.reason);
  request.set_factor(options.factor);
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::SetAccommodation, request));
  return ShowAttempt(context, response.attempt());
}

// What an extension must be for `by` to be left from `now` on. The cut-off
// has passed, so the time since the deadline comes on top.
google::protobuf::Duration ReopeningOf(const v1::AttemptClock& clock,
                                       std::chrono::microseconds by,
                                       std::chrono::nanoseconds now) {
  const auto since = now - FromProto(clock.deadline());
  return ToProto(by +
                 std::chrono::duration_cast<std::chrono::microseconds>(since));
}

Outcome Reopen(Context& context, const ReopenOptions& options) {
  ASSAY_ASSIGN_OR_RETURN(const auto by, suite::ParseDuration(options.by));
  v1::GetAttemptRequest get;
  get.set_name(FullName("attempts", options.name));
  ASSAY_ASSIGN_OR_RETURN(const auto found,
                         context.server().Call(&Stub::GetAttempt, get));
  const v1::Attempt& attempt = found.attempt();
  if (attempt.state() != v1::Attempt::STATE_SUBMITTED) {
    return FailedPrecondition(options.name, " is ", StateText(attempt.state()),
                              ", only a submitted attempt can be reopened; "
                              "give a running one more time with: assay "
                              "attempt extend");
  }
  ASSAY_RETURN_IF_ERROR(Confirm(
      "Open " + options.name + " again for " + options.by +
          "? Its candidate may push and submit again; what was handed in "
          "stays on record.",
      options.yes, WithoutTerminal::kGoAhead));
  auto request =
      RequestFor<v1::ExtendAttemptRequest>(options.name, options.reason);
  *request.mutable_extension() = ReopeningOf(
      attempt.clock(), by, std::chrono::system_clock::now().time_since_epoch());
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::ExtendAttempt, request));
  return ShowAttempt(context, response.attempt());
}

Outcome Credit(Context& context, const CreditOptions& options) {
  v1::CreditOutageRequest request;
  request.set_assignment(FullName("assignments", options.assignment));
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_start_time(),
                         ParseTime(options.from));
  ASSAY_ASSIGN_OR_RETURN(*request.mutable_end_time(), ParseTime(options.to));
  request.set_reason(options.reason);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         context.server().Call(&Stub::CreditOutage, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& credit : response.credits())
    rows.push_back(
        {ShortName(credit.attempt()), DurationText(credit.extension())});
  console.Table({"ATTEMPT", "GIVEN BACK"}, rows);
  if (rows.empty())
    console.Note("No clock ran then: nobody lost time, nothing was changed.");
  return kSuccess;
}

void AddReason(CLI::App& app, std::string& reason) {
  app.add_option("--reason", reason, "Kept in the audit log")->required();
}

void AddPauses(CommandLine& line, CLI::App& group) {
  auto pause = line.Add<ReasonOptions>(
      group, "pause", "Stop the clock until it is resumed",
      "  assay attempt pause att_7f3k --reason \"fire alarm\"", Pause);
  pause.app.add_option("name", pause.options->name, "Attempt")->required();
  AddReason(pause.app, pause.options->reason);
  auto resume = line.Add<ReasonOptions>(
      group, "resume", "Let a paused clock go on",
      "  assay attempt resume att_7f3k --reason \"alarm is over\"", Resume);
  resume.app.add_option("name", resume.options->name, "Attempt")->required();
  AddReason(resume.app, resume.options->reason);
}

void AddExtensions(CommandLine& line, CLI::App& group) {
  auto extend = line.Add<ByOptions>(
      group, "extend", "Move the deadline, also one that has passed",
      "  assay attempt extend att_7f3k --by 30m --reason \"power cut\"\n"
      "  assay attempt extend att_7f3k --by=-30m --reason \"wrong attempt\"",
      Extend);
  extend.app.add_option("name", extend.options->name, "Attempt")->required();
  extend.app
      .add_option("--by", extend.options->by,
                  "How much, like 30m; -30m takes back")
      ->required();
  AddReason(extend.app, extend.options->reason);
  auto reopen = line.Add<ReopenOptions>(
      group, "reopen", "Open a submitted attempt again, from now on",
      "  assay attempt reopen att_7f3k --by 2h --reason \"our outage\" --yes",
      Reopen);
  reopen.app.add_option("name", reopen.options->name, "Attempt")->required();
  reopen.app
      .add_option("--by", reopen.options->by, "Time left from now, like 2h")
      ->required();
  AddReason(reopen.app, reopen.options->reason);
  reopen.app.add_flag("--yes", reopen.options->yes, "Do not ask");
}

}  // namespace

void AddClockCommands(CommandLine& line) {
  CLI::App& group = *line.app().get_subcommand("attempt");
  AddExtensions(line, group);
  AddPauses(line, group);
  auto factor = line.Add<FactorOptions>(
      group, "accommodate", "Set the factor on the time allowed",
      "  assay attempt accommodate att_7f3k --factor 1.5 --reason \"agreed "
      "in March\"",
      Accommodate);
  factor.app.add_option("name", factor.options->name, "Attempt")->required();
  factor.app
      .add_option("--factor", factor.options->factor,
                  "1.0 to 10.0; 1.5 is half as much again")
      ->required();
  AddReason(factor.app, factor.options->reason);
  auto credit = line.Add<CreditOptions>(
      group, "credit",
      "Give back the time that an outage took, to whoever lost it",
      "  assay attempt credit --from 2026-03-01T09:00:00Z --to "
      "2026-03-01T09:40:00Z \\\n      --reason \"network down\"",
      Credit);
  credit.app.add_option("--assignment", credit.options->assignment,
                        "Only attempts of this assignment");
  credit.app.add_option("--from", credit.options->from, "When it began")
      ->required();
  credit.app.add_option("--to", credit.options->to, "When it was over")
      ->required();
  AddReason(credit.app, credit.options->reason);
}

}  // namespace assay::cli
