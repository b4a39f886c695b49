#include "assay/v1/invitation_service.grpc.pb.h"
#include "proto/base/id.h"
#include "services/cli/command_line.h"
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
};
struct ListOptions {
  std::string assignment;
};
struct RevokeOptions {
  std::string name;
};
struct AcceptOptions {
  std::string secret;
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

Outcome Invite(Context& context, const InviteOptions& options) {
  v1::CreateInvitationRequest request;
  request.set_assignment(FullName("assignments", options.assignment));
  request.set_candidate_name(options.name);
  request.set_candidate_email(options.email);
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

Outcome Accept(Context& context, const AcceptOptions& options) {
  v1::AcceptInvitationRequest request;
  // People paste the whole link; its last part is the secret.
  request.set_secret(
      options.secret.substr(options.secret.find_last_of("/#=") + 1));
  ASSAY_ASSIGN_OR_RETURN(
      const auto response,
      context.server().Call(&Stub::AcceptInvitation, request));
  Console& console = context.console();
  if (console.json()) {
    console.Json(response);
    return kSuccess;
  }
  const v1::Attempt& attempt = response.attempt();
  console.Fields({{"attempt", ShortName(attempt.name())},
                  {"assignment", Printable(attempt.title())},
                  {"time allowed", DurationText(attempt.clock().duration())},
                  {"token", response.token()}});
  console.Line();
  console.Line("Your clock has not started. When you are ready:");
  console.Line("  export ASSAY_TOKEN=" + response.token());
  console.Line("  assay attempt start");
  return kSuccess;
}

}  // namespace

void AddInvitationCommands(CommandLine& line) {
  auto invite = line.Add<InviteOptions>(
      line.app(), "invite", "Offer an assignment to one person",
      "  assay invite orders-api --name \"Ada L.\" --email ada@example.org",
      Invite);
  invite.app.add_option("assignment", invite.options->assignment, "Assignment")
      ->required();
  invite.app.add_option("--name", invite.options->name,
                        "The candidate's name; reviewers do not see it while "
                        "they rate");
  invite.app.add_option("--email", invite.options->email,
                        "The candidate's address");
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
                              "  assay invitation revoke inv_7f3k", Revoke);
  revoke.app.add_option("name", revoke.options->name, "Invitation")->required();
  auto accept = line.Add<AcceptOptions>(
      line.app(), "accept", "Accept an invitation (candidates)",
      "  assay accept 8f3k2m...\n"
      "  assay accept http://127.0.0.1:7080/i/8f3k2m...",
      Accept);
  accept.app
      .add_option("secret", accept.options->secret,
                  "The invitation's link or its secret")
      ->required();
}

}  // namespace assay::cli
