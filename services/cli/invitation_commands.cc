#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "assay/v1/invitation_service.grpc.pb.h"
#include "proto/base/id.h"
#include "proto/base/utf8.h"
#include "services/cli/attempt_view.h"
#include "services/cli/candidate_session.h"
#include "services/cli/command_line.h"
#include "services/cli/confirm.h"
#include "services/cli/printable.h"
#include "services/cli/resource_name.h"
#include "services/cli/time_text.h"

namespace assay::cli {
namespace {

using Stub = v1::InvitationService::Stub;

struct InviteOptions {
  std::string assignment;
  std::string name;
  std::string email;
  double accommodation = 0;
  std::string csv;
  bool dry_run = false;
};
struct ListOptions {
  std::string assignment;
};
struct RevokeOptions {
  std::string name;
  bool yes = false;
};
struct ResendOptions {
  std::string name;
  bool yes = false;
};
struct AcceptOptions {
  std::string secret;
};
struct RequestOptions {
  std::string email;
};

std::string StateText(v1::Invitation::State state) {
  switch (state) {
    case v1::Invitation::STATE_PENDING:
      return "pending";
    case v1::Invitation::STATE_ACCEPTED:
      return "accepted";
    case v1::Invitation::STATE_EXPIRED:
      return "expired";
    case v1::Invitation::STATE_REVOKED:
      return "revoked";
    default:
      return "unknown";
  }
}

// From 1; 0 when there is none.
int FirstLineThatIsNotUtf8(const std::string& text) {
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);)
    if (++number; !IsUtf8(line)) return number;
  return 0;
}

// The invitees of a file: all of them, or none and every problem.
Outcome InviteMany(Context& context, const InviteOptions& options) {
  v1::CreateInvitationsRequest request;
  request.set_assignment(FullName("assignments", options.assignment));
  request.set_dry_run(options.dry_run);
  std::ifstream in(options.csv, std::ios::binary);
  if (!in) return InvalidArgument(options.csv, " cannot be read");
  request.set_csv(std::string{std::istreambuf_iterator<char>(in), {}});
  // Spreadsheets like to write something else.
  if (const int line = FirstLineThatIsNotUtf8(request.csv()); line > 0)
    return InvalidArgument(options.csv, ":", line,
                           ": found bytes that are no UTF-8; save the file "
                           "as CSV in UTF-8");
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::CreateInvitations, request));
  Console& console = context.console();
  const ExitCode code = response.problems().empty() ? kSuccess : kNegative;
  if (console.json()) {
    console.Json(response);
    return code;
  }
  for (const auto& problem : response.problems())
    console.Note(fmt::format("{}:{}: {}", options.csv, problem.line(),
                             Printable(problem.message())));
  if (code == kNegative) {
    console.Note("Nobody was invited.");
  } else if (options.dry_run) {
    console.Line(fmt::format("{} would be invited; nothing was changed.",
                             response.rows_size()));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& row : response.rows())
      rows.push_back({ShortName(row.invitation().name()),
                      Printable(row.invitation().candidate_name()),
                      Printable(row.invitation().candidate_email()),
                      row.link()});
    console.Table({"INVITATION", "CANDIDATE", "ADDRESS", "LINK"}, rows);
    console.Note("These are the only copies of the links' secrets.");
  }
  return code;
}

Outcome Invite(Context& context, const InviteOptions& options) {
  if (!options.csv.empty()) return InviteMany(context, options);
  if (options.dry_run)
    return InvalidArgument("--dry-run goes with --csv; expected both");
  v1::CreateInvitationRequest request;
  request.set_assignment(FullName("assignments", options.assignment));
  request.set_candidate_name(options.name);
  request.set_candidate_email(options.email);
  request.set_accommodation(options.accommodation);
  request.set_request_id(RandomToken());
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::CreateInvitation, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  console.Fields({{"invitation", ShortName(response.invitation().name())},
                  {"expires", TimeText(response.invitation().expire_time())},
                  {"link", response.link()},
                  {"secret", response.secret()}});
  console.Note(
      "Send the link to the candidate: this is the only copy of its secret.");
  return kSuccess;
}

Outcome List(Context& context, const ListOptions& options) {
  v1::ListInvitationsRequest request;
  request.set_assignment(FullName("assignments", options.assignment));
  v1::ListInvitationsResponse all;
  do {
    ASSAY_ASSIGN_OR_RETURN(
        const auto page,
        context.server().Call(&Stub::ListInvitations, request));
    all.mutable_invitations()->MergeFrom(page.invitations());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  if (context.console().json()) {
    context.console().Json(all);
    return kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Invitation& item : all.invitations()) {
    rows.push_back({ShortName(item.name()), ShortName(item.assignment()),
                    StateText(item.state()), TimeText(item.expire_time()),
                    ShortName(item.attempt()),
                    Printable(item.candidate_name())});
  }
  context.console().Table(
      {"INVITATION", "ASSIGNMENT", "STATE", "EXPIRES", "ATTEMPT", "CANDIDATE"},
      rows);
  return kSuccess;
}

Outcome Revoke(Context& context, const RevokeOptions& options) {
  ASSAY_RETURN_IF_ERROR(Confirm(
      "Take " + options.name + " back? Its link opens nothing from then on.",
      options.yes, WithoutTerminal::kRefuse));
  v1::RevokeInvitationRequest request;
  request.set_name(FullName("invitations", options.name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::RevokeInvitation, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response.invitation());
  } else {
    console.Line(ShortName(response.invitation().name()) + " is " +
                 StateText(response.invitation().state()));
  }
  return kSuccess;
}

Outcome Resend(Context& context, const ResendOptions& options) {
  ASSAY_RETURN_IF_ERROR(
      Confirm("Make a new link for " + options.name +
                  "? The one that was sent before stops working.",
              options.yes, WithoutTerminal::kRefuse));
  v1::ResendInvitationRequest request;
  request.set_name(FullName("invitations", options.name));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::ResendInvitation, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  console.Fields({{"invitation", ShortName(response.invitation().name())},
                  {"state", StateText(response.invitation().state())},
                  {"expires", TimeText(response.invitation().expire_time())},
                  {"link", response.link()}});
  console.Note("The link that was sent before no longer works.");
  return kSuccess;
}

// By whoever lost the link: there is no more to tell them than that.
Outcome Request(Context& context, const RequestOptions& options) {
  v1::RequestLinkRequest request;
  request.set_email(options.email);
  ASSAY_ASSIGN_OR_RETURN(const auto response, context.ServerWithoutToken().Call(
                                                  &Stub::RequestLink, request));
  if (context.console().json()) {
    context.console().Json(response);
    return kSuccess;
  }
  context.console().Line(
      "If an invitation was sent to this address, a link is on its way to it.");
  context.console().Note(
      "Links that were sent before keep working. Nothing comes? Write to "
      "whoever invited you.");
  return kSuccess;
}

Outcome Accept(Context& context, const AcceptOptions& options) {
  const InvitationLink link = ParseInvitationLink(options.secret);
  v1::AcceptInvitationRequest request;
  request.set_secret(link.secret);
  Server& server = context.ServerOfLink(link.server);
  ASSAY_ASSIGN_OR_RETURN(const auto response,
                         server.Call(&Stub::AcceptInvitation, request));
  Console& console = context.console();
  const Status saved = SaveCandidateSession(
      CandidateFile(), {.server = server.options().address,
                        .token = response.token(),
                        .ca_file = server.options().ca_file});
  if (!saved)
    console.Note("The link is accepted, but cannot be remembered (" +
                 saved.error().message +
                 "); set ASSAY_SERVER and ASSAY_TOKEN instead.");
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  const v1::Attempt& attempt = response.attempt();
  console.Fields({{"attempt", ShortName(attempt.name())},
                  {"assignment", Printable(attempt.title())},
                  {"state", cli::StateText(attempt.state())},
                  {"token", response.token()}});
  console.Line();
  for (const std::string& rule : RuleLines(attempt.rules(), attempt.clock()))
    console.Line("  " + rule);
  console.Line();
  console.Line("Your clock has not started. What comes next:");
  console.Line("  assay attempt brief    the task, and what is recorded");
  console.Line("  assay attempt check    whether git works from here");
  console.Line("  assay attempt start    when you are ready");
  return kSuccess;
}

}  // namespace

void AddInvitationCommands(CommandLine& line) {
  auto invite = line.Add<InviteOptions>(
      line.app(), "invite", "Offer an assignment to people",
      "  assay invite orders-api --name \"Ada L.\" --email ada@example.org\n"
      "  assay invite orders-api --name Bo --accommodation 1.5\n"
      "  assay invite orders-api --csv people.csv --dry-run",
      Invite);
  invite.app.add_option("assignment", invite.options->assignment, "Assignment")
      ->required();
  invite.app.add_option("--name", invite.options->name,
                        "The candidate's name; reviewers do not see it while "
                        "they rate");
  invite.app.add_option("--email", invite.options->email,
                        "The candidate's address");
  invite.app.add_option("--accommodation", invite.options->accommodation,
                        "Factor on the time allowed, 1.0 to 10.0 [1.0]");
  invite.app.add_option("--csv", invite.options->csv,
                        "File with the columns name, email and, if wanted, "
                        "accommodation: all lines or none");
  invite.app.add_flag("--dry-run", invite.options->dry_run,
                      "Only say what is wrong with the file, by line");
  CLI::App& group =
      line.Group(line.app(), "invitation", "Invitations that were made");
  auto list = line.Add<ListOptions>(group, "list", "Every invitation",
                                    "  assay invitation list\n"
                                    "  assay invitation list orders-api --json",
                                    List);
  list.app.add_option("assignment", list.options->assignment,
                      "Only of this assignment");
  auto revoke =
      line.Add<RevokeOptions>(group, "revoke", "Take an invitation back",
                              "  assay invitation revoke inv_7f3k\n"
                              "  assay invitation revoke inv_7f3k --yes",
                              Revoke);
  revoke.app.add_option("name", revoke.options->name, "Invitation")->required();
  revoke.app.add_flag("--yes", revoke.options->yes, "Do not ask");
  auto resend = line.Add<ResendOptions>(
      group, "resend", "Make a new link; the old one stops working",
      "  assay invitation resend inv_7f3k\n"
      "  assay invitation resend inv_7f3k --yes",
      Resend);
  resend.app.add_option("name", resend.options->name, "Invitation")->required();
  resend.app.add_flag("--yes", resend.options->yes, "Do not ask");
  auto request = line.Add<RequestOptions>(
      group, "request", "Have a lost link mailed again (candidates)",
      "  assay invitation request ada@example.org \\\n"
      "      --server https://assay.example.org",
      Request);
  request.app
      .add_option("email", request.options->email,
                  "What the invitation was sent to")
      ->required();
  auto accept = line.Add<AcceptOptions>(
      line.app(), "accept", "Accept an invitation (candidates)",
      "  assay accept \"https://assay.example.org/invitation#8f3k2m...\"\n"
      "  assay accept 8f3k2m... --server https://assay.example.org",
      Accept);
  accept.app
      .add_option("secret", accept.options->secret,
                  "The invitation's link or its secret")
      ->required();
}

}  // namespace assay::cli
