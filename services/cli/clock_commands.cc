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

struct PauseOptions {
  std::string name;
  std::string assignment;
  bool all = false;
  std::string reason;
  bool yes = false;
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
  std::string attempt;
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

// One attempt, all of an assignment, or all that there are.
Status CheckWhose(const PauseOptions& options) {
  const int said = (options.name.empty() ? 0 : 1) +
                   (options.assignment.empty() ? 0 : 1) + (options.all ? 1 : 0);
  if (said == 1) return {};
  return InvalidArgument(
      "expected an attempt, --assignment or --all, and only one of them");
}

// Many people notice it, so it is asked once more; a script means it.
Status ConfirmAll(const PauseOptions& options, const std::string& what) {
  const std::string whose =
      options.assignment.empty() ? "all assignments" : options.assignment;
  return Confirm(what + " of every running attempt of " + whose + "?",
                 options.yes, WithoutTerminal::kGoAhead);
}

template <class Request>
Request RequestForAll(const PauseOptions& options) {
  Request request;
  request.set_assignment(FullName("assignments", options.assignment));
  request.set_reason(options.reason);
  request.set_request_id(RandomToken());
  return request;
}

template <class Response>
Outcome ShowChanged(Console& console, const Response& response) {
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  for (const std::string& name : response.attempts())
    console.Line(ShortName(name));
  if (response.attempts().empty()) console.Note("Nothing was changed.");
  return kSuccess;
}

Outcome Pause(Context& context, const PauseOptions& options) {
  ASSAY_RETURN_IF_ERROR(CheckWhose(options));
  if (options.name.empty()) {
    ASSAY_RETURN_IF_ERROR(ConfirmAll(options, "Stop the clock"));
    ASSAY_ASSIGN_OR_RETURN(
        const auto all, context.server().Call(
                            &Stub::PauseAttempts,
                            RequestForAll<v1::PauseAttemptsRequest>(options)));
    return ShowChanged(context.console(), all);
  }
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(
          &Stub::PauseAttempt,
          RequestFor<v1::PauseAttemptRequest>(options.name, options.reason)));
  return ShowAttempt(context, response.attempt());
}

Outcome Resume(Context& context, const PauseOptions& options) {
  ASSAY_RETURN_IF_ERROR(CheckWhose(options));
  if (options.name.empty()) {
    ASSAY_RETURN_IF_ERROR(ConfirmAll(options, "Start the stopped clock"));
    ASSAY_ASSIGN_OR_RETURN(
        const auto all, context.server().Call(
                            &Stub::ResumeAttempts,
                            RequestForAll<v1::ResumeAttemptsRequest>(options)));
    return ShowChanged(context.console(), all);
  }
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
  request.set_attempt(FullName("attempts", options.attempt));
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

void AddWhose(CLI::App& app, PauseOptions& options) {
  app.add_option("name", options.name, "Attempt");
  app.add_option("--assignment", options.assignment,
                 "All attempts of this assignment");
  app.add_flag("--all", options.all, "All attempts of all assignments");
  app.add_flag("--yes", options.yes, "Do not ask about more than one");
  AddReason(app, options.reason);
}

void AddPauses(CommandLine& line, CLI::App& group) {
  auto pause = line.Add<PauseOptions>(
      group, "pause", "Stop a clock, or all of them, until it is resumed",
      "  assay attempt pause att_7f3k --reason \"fire alarm\"\n"
      "  assay attempt pause --assignment orders-api --reason \"outage\"",
      Pause);
  AddWhose(pause.app, *pause.options);
  auto resume = line.Add<PauseOptions>(
      group, "resume", "Let a paused clock, or all of them, go on",
      "  assay attempt resume att_7f3k --reason \"alarm is over\"\n"
      "  assay attempt resume --all --reason \"back again\"",
      Resume);
  AddWhose(resume.app, *resume.options);
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
  credit.app.add_option("name", credit.options->attempt, "Only this attempt");
  credit.app.add_option("--assignment", credit.options->assignment,
                        "Only attempts of this assignment");
  credit.app.add_option("--from", credit.options->from, "When it began")
      ->required();
  credit.app.add_option("--to", credit.options->to, "When it was over")
      ->required();
  AddReason(credit.app, credit.options->reason);
}

}  // namespace assay::cli
