#include "services/attempts/invitation_service.h"

#include <chrono>
#include <utility>

#include "proto/base/digest.h"
#include "services/attempts/attempt_proto.h"
#include "services/attempts/clock.h"
#include "services/attempts/invitees.h"
#include "services/identity/identity.h"
#include "services/notify/outbox.h"
#include "services/rpc/proto_time.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"
#include "services/storage/once.h"

namespace assay::attempts {
namespace {

using storage::AttemptRecord;
using storage::InvitationRecord;
using storage::Transaction;

// 260 bits.
constexpr std::size_t kSecretSize = 52;
// Candidates come back to their results for so long.
constexpr auto kTokenLife = std::chrono::days(180);

// After '#', which browsers send to nobody and servers do not log.
std::string LinkOf(const std::string& base_url, const std::string& secret) {
  return base_url + "/invitation#" + secret;
}

Expected<InvitationRecord> InviteIn(Transaction& tx,
                                    const rpc::CallContext& context,
                                    const AssignmentId& id,
                                    const Invitee& invitee,
                                    const std::string& secret_hash,
                                    Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const storage::AssignmentRecord assignment,
                         tx.assignments.Get(id));
  InvitationRecord invitation;
  invitation.id = InvitationId::Random();
  invitation.assignment = id;
  invitation.assignment_version = assignment.version;
  invitation.candidate_name = invitee.name;
  invitation.candidate_email = invitee.email;
  invitation.accommodation = invitee.accommodation;
  invitation.secret_hash = secret_hash;
  invitation.create_time = now;
  invitation.expire_time =
      now + rpc::FromProto(assignment.spec.invitation_expiry());
  ASSAY_RETURN_IF_ERROR(tx.invitations.Create(invitation));
  ASSAY_RETURN_IF_ERROR(
      tx.audit.Append({.time = now,
                       .actor = context.caller.label,
                       .action = "invitation.create",
                       .subject = rpc::FormatName("invitations", invitation.id),
                       .detail = "to " + rpc::FormatName("assignments", id)}));
  return invitation;
}

// Mails the link to whoever is invited, where mail is set up. Elsewhere the
// answer holds the only copy, and the store never knows the secret.
Status MailLink(Transaction& tx, const InvitationRecord& invitation,
                const std::string& link, Clock::TimePoint now) {
  if (link.empty() || invitation.candidate_email.empty()) return {};
  ASSAY_ASSIGN_OR_RETURN(const storage::AssignmentRecord assignment,
                         tx.assignments.Get(invitation.assignment));
  return notify::Tell(
      tx,
      {.topic = "invitation",
       .recipient = invitation.candidate_email,
       .subject = "Your invitation: " + assignment.spec.title(),
       .body = "You are invited to \"" + assignment.spec.title() +
               "\". The task, the time allowed and how it is graded are "
               "behind this link; opening it does not start the clock:\n\n" +
               link +
               "\n\nIt is your key to the task: keep it, and keep it to "
               "yourself.\n",
       .attempt = invitation.attempt},
      now);
}

// Makes the secret of an invitation a new one.
Expected<InvitationRecord> ResendIn(Transaction& tx,
                                    const rpc::CallContext& context,
                                    const InvitationId& id,
                                    const std::string& secret_hash,
                                    Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(InvitationRecord invitation, tx.invitations.Get(id));
  if (invitation.state == v1::Invitation::STATE_REVOKED)
    return FailedPrecondition("invitation ", id,
                              " was withdrawn; make a new one");
  if (invitation.state == v1::Invitation::STATE_PENDING) {
    ASSAY_ASSIGN_OR_RETURN(const storage::AssignmentRecord assignment,
                           tx.assignments.Get(invitation.assignment));
    invitation.expire_time =
        now + rpc::FromProto(assignment.spec.invitation_expiry());
  }
  ASSAY_RETURN_IF_ERROR(
      tx.invitations.ReplaceSecret(id, secret_hash, invitation.expire_time));
  ASSAY_RETURN_IF_ERROR(
      tx.audit.Append({.time = now,
                       .actor = context.caller.label,
                       .action = "invitation.resend",
                       .subject = rpc::FormatName("invitations", id)}));
  return invitation;
}

// The invitation's attempt; made now if it is pending.
Expected<AttemptRecord> AttemptOf(Transaction& tx,
                                  const InvitationRecord& invitation,
                                  Clock::TimePoint now) {
  switch (invitation.state) {
    case v1::Invitation::STATE_ACCEPTED:
      return tx.attempts.Get(invitation.attempt);
    case v1::Invitation::STATE_REVOKED:
      return FailedPrecondition(
          "this invitation was withdrawn; ask whoever sent it");
    default:
      break;
  }
  if (now >= invitation.expire_time)
    return FailedPrecondition(
        "this invitation has expired; ask whoever sent it for a new one");
  ASSAY_ASSIGN_OR_RETURN(const storage::AssignmentRecord assignment,
                         tx.assignments.Get(invitation.assignment));
  AttemptRecord attempt;
  attempt.id = AttemptId::Random();
  attempt.invitation = invitation.id;
  attempt.assignment = invitation.assignment;
  attempt.assignment_version = assignment.version;
  attempt.candidate_name = invitation.candidate_name;
  attempt.candidate_email = invitation.candidate_email;
  attempt.clock = NewClock(assignment.spec, invitation.accommodation);
  attempt.create_time = now;
  ASSAY_RETURN_IF_ERROR(tx.attempts.Create(attempt));
  ASSAY_RETURN_IF_ERROR(tx.invitations.MarkAccepted(invitation.id, attempt.id));
  ASSAY_RETURN_IF_ERROR(tx.audit.Append(
      {.time = now,
       .actor = "candidate",
       .action = "invitation.accept",
       .subject = rpc::FormatName("invitations", invitation.id),
       .detail = "as " + rpc::FormatName("attempts", attempt.id)}));
  return attempt;
}

Expected<v1::AcceptInvitationResponse> AcceptIn(
    Transaction& tx, const std::string& secret_hash,
    const identity::MintedToken& token, const std::string& base_url,
    Clock::TimePoint now) {
  Expected<InvitationRecord> invitation =
      tx.invitations.GetBySecretHash(secret_hash);
  if (!invitation && invitation.error().code == Code::kNotFound)
    return Unauthenticated(
        "no invitation has this secret: the link is incomplete, or a newer one "
        "was sent");
  if (!invitation) return std::unexpected(std::move(invitation).error());
  ASSAY_ASSIGN_OR_RETURN(const AttemptRecord attempt,
                         AttemptOf(tx, *invitation, now));
  ASSAY_RETURN_IF_ERROR(tx.tokens.Create(
      {.id = token.id,
       .hash = token.hash,
       .role = v1::ROLE_CANDIDATE,
       .label = "candidate of " + rpc::FormatName("attempts", attempt.id),
       .attempt = attempt.id,
       .create_time = now,
       .expire_time = now + kTokenLife}));
  v1::AcceptInvitationResponse response;
  const rpc::Caller candidate{.role = v1::ROLE_CANDIDATE,
                              .attempt = attempt.id};
  ASSAY_ASSIGN_OR_RETURN(*response.mutable_attempt(),
                         ShowAttempt(tx, attempt, candidate, base_url));
  return response;
}

}  // namespace

InvitationService::InvitationService(storage::Store& store, const Clock& clock,
                                     std::string base_url, bool mails_links,
                                     std::function<void()> on_changed)
    : store_(store),
      clock_(clock),
      base_url_(std::move(base_url)),
      mails_links_(mails_links),
      on_changed_(std::move(on_changed)) {}

void InvitationService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.InvitationService/";
  rpc::Register(registry, service + "CreateInvitation", this,
                &InvitationService::Create);
  rpc::Register(registry, service + "CreateInvitations", this,
                &InvitationService::CreateMany);
  rpc::Register(registry, service + "ResendInvitation", this,
                &InvitationService::Resend);
  rpc::Register(registry, service + "ListInvitations", this,
                &InvitationService::List);
  rpc::Register(registry, service + "RevokeInvitation", this,
                &InvitationService::Revoke);
  rpc::Register(registry, service + "AcceptInvitation", this,
                &InvitationService::Accept);
}

Async<v1::CreateInvitationResponse> InvitationService::Create(
    rpc::CallContext context, v1::CreateInvitationRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  const Invitee invitee{.name = request.candidate_name(),
                        .email = request.candidate_email(),
                        .accommodation = request.accommodation() == 0
                                             ? kMinAccommodation
                                             : request.accommodation()};
  ASSAY_CO_RETURN_IF_ERROR(CheckInvitee(invitee));
  using Response = v1::CreateInvitationResponse;
  const std::string secret = RandomToken(kSecretSize);
  const std::string mailed = mails_links_ ? LinkOf(base_url_, secret) : "";
  // The recorded answer has no secret, which the store must not know. Whoever
  // repeats a request has lost the first one, and gets a fresh one.
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([context, id, request, invitee, mailed,
                             hash = Sha256Hex(secret), now = clock_.Now()](
                                Transaction& tx) -> Expected<Response> {
        const storage::RequestKey key{
            context.caller.token.str(),
            "assay.v1.InvitationService/CreateInvitation",
            request.request_id()};
        ASSAY_ASSIGN_OR_RETURN(
            Response made,
            storage::Once<Response>(
                tx, key, request, now, [&]() -> Expected<Response> {
                  ASSAY_ASSIGN_OR_RETURN(
                      const InvitationRecord record,
                      InviteIn(tx, context, id, invitee, hash, now));
                  Response first;
                  *first.mutable_invitation() = ToProto(record, now);
                  return first;
                }));
        ASSAY_ASSIGN_OR_RETURN(const InvitationId invitation,
                               rpc::ParseName<InvitationId>(
                                   "invitations", made.invitation().name()));
        ASSAY_RETURN_IF_ERROR(tx.invitations.ReplaceSecret(
            invitation, hash, rpc::FromProto(made.invitation().expire_time())));
        ASSAY_ASSIGN_OR_RETURN(const InvitationRecord stored,
                               tx.invitations.Get(invitation));
        ASSAY_RETURN_IF_ERROR(MailLink(tx, stored, mailed, now));
        return made;
      }));
  response.set_secret(secret);
  response.set_link(LinkOf(base_url_, secret));
  Changed();
  co_return response;
}

Async<v1::CreateInvitationsResponse> InvitationService::CreateMany(
    rpc::CallContext context, v1::CreateInvitationsRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const AssignmentId id,
      rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  using Response = v1::CreateInvitationsResponse;
  Response response;
  const InviteeList list = ReadInvitees(request.csv());
  for (const InviteeProblem& problem : list.problems) {
    Response::Problem& shown = *response.add_problems();
    shown.set_line(problem.line);
    shown.set_message(problem.message);
  }
  if (request.dry_run() || !list.problems.empty()) {
    ASSAY_CO_RETURN_IF_ERROR(co_await store_.Read(
        [id](Transaction& tx) { return tx.assignments.Get(id); }));
    for (const Invitee& invitee : list.invitees)
      response.add_rows()->set_line(invitee.line);
    co_return response;
  }
  std::vector<std::string> secrets;
  for (std::size_t i = 0; i < list.invitees.size(); ++i)
    secrets.push_back(RandomToken(kSecretSize));
  using Records = std::vector<InvitationRecord>;
  ASSAY_CO_ASSIGN_OR_RETURN(
      const Records records,
      co_await store_.Write(
          [context, id, invitees = list.invitees, secrets, mails = mails_links_,
           base_url = base_url_,
           now = clock_.Now()](Transaction& tx) -> Expected<Records> {
            Records made;
            for (std::size_t i = 0; i < invitees.size(); ++i) {
              ASSAY_ASSIGN_OR_RETURN(InvitationRecord record,
                                     InviteIn(tx, context, id, invitees[i],
                                              Sha256Hex(secrets[i]), now));
              ASSAY_RETURN_IF_ERROR(MailLink(
                  tx, record, mails ? LinkOf(base_url, secrets[i]) : "", now));
              made.push_back(std::move(record));
            }
            return made;
          }));
  for (std::size_t i = 0; i < records.size(); ++i) {
    Response::Row& row = *response.add_rows();
    row.set_line(list.invitees[i].line);
    *row.mutable_invitation() = ToProto(records[i], clock_.Now());
    row.set_secret(secrets[i]);
    row.set_link(LinkOf(base_url_, secrets[i]));
  }
  Changed();
  co_return response;
}

Async<v1::ResendInvitationResponse> InvitationService::Resend(
    rpc::CallContext context, v1::ResendInvitationRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const InvitationId id,
      rpc::ParseName<InvitationId>("invitations", request.name()));
  const std::string secret = RandomToken(kSecretSize);
  const Clock::TimePoint now = clock_.Now();
  ASSAY_CO_ASSIGN_OR_RETURN(
      const InvitationRecord record,
      co_await store_.Write(
          [context, id, hash = Sha256Hex(secret),
           mailed = mails_links_ ? LinkOf(base_url_, secret) : "",
           now](Transaction& tx) -> Expected<InvitationRecord> {
            ASSAY_ASSIGN_OR_RETURN(const InvitationRecord resent,
                                   ResendIn(tx, context, id, hash, now));
            ASSAY_RETURN_IF_ERROR(MailLink(tx, resent, mailed, now));
            return resent;
          }));
  v1::ResendInvitationResponse response;
  *response.mutable_invitation() = ToProto(record, now);
  response.set_secret(secret);
  response.set_link(LinkOf(base_url_, secret));
  Changed();
  co_return response;
}

Async<v1::ListInvitationsResponse> InvitationService::List(
    rpc::CallContext context, v1::ListInvitationsRequest request) {
  AssignmentId assignment;
  if (!request.assignment().empty()) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        assignment,
        rpc::ParseName<AssignmentId>("assignments", request.assignment()));
  }
  using Response = v1::ListInvitationsResponse;
  const storage::Page page{request.page_size(), request.page_token()};
  co_return co_await store_.Read([assignment, page, now = clock_.Now()](
                                     Transaction& tx) -> Expected<Response> {
    ASSAY_ASSIGN_OR_RETURN(const auto records,
                           tx.invitations.List(assignment, page));
    Response response;
    for (const InvitationRecord& record : records.items)
      *response.add_invitations() = ToProto(record, now);
    response.set_next_page_token(records.next_token);
    return response;
  });
}

Async<v1::RevokeInvitationResponse> InvitationService::Revoke(
    rpc::CallContext context, v1::RevokeInvitationRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const InvitationId id,
      rpc::ParseName<InvitationId>("invitations", request.name()));
  using Response = v1::RevokeInvitationResponse;
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([id, context, now = clock_.Now()](
                                Transaction& tx) -> Expected<Response> {
        ASSAY_ASSIGN_OR_RETURN(InvitationRecord record, tx.invitations.Get(id));
        if (record.state == v1::Invitation::STATE_ACCEPTED)
          return FailedPrecondition("invitation ", id,
                                    " was accepted already, as attempts/",
                                    record.attempt);
        if (record.state == v1::Invitation::STATE_PENDING) {
          ASSAY_RETURN_IF_ERROR(tx.invitations.MarkRevoked(id));
          ASSAY_RETURN_IF_ERROR(
              tx.audit.Append({.time = now,
                               .actor = context.caller.label,
                               .action = "invitation.revoke",
                               .subject = rpc::FormatName("invitations", id)}));
          record.state = v1::Invitation::STATE_REVOKED;
        }
        Response response;
        *response.mutable_invitation() = ToProto(record, now);
        return response;
      }));
  Changed();
  co_return response;
}

Async<v1::AcceptInvitationResponse> InvitationService::Accept(
    rpc::CallContext context, v1::AcceptInvitationRequest request) {
  const identity::MintedToken token = identity::MintToken();
  ASSAY_CO_ASSIGN_OR_RETURN(
      v1::AcceptInvitationResponse response,
      co_await store_.Write([hash = Sha256Hex(request.secret()), token,
                             base_url = base_url_,
                             now = clock_.Now()](Transaction& tx) {
        return AcceptIn(tx, hash, token, base_url, now);
      }));
  response.set_token(token.secret);
  Changed();
  co_return response;
}

}  // namespace assay::attempts
