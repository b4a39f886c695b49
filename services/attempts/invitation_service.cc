#include "services/attempts/invitation_service.h"

#include <chrono>
#include <utility>

#include "proto/base/digest.h"
#include "services/attempts/attempt_proto.h"
#include "services/attempts/clock.h"
#include "services/identity/identity.h"
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
constexpr std::size_t kMaxText = 200;
// Candidates come back to their results for so long.
constexpr auto kTokenLife = std::chrono::days(180);

// After '#', which browsers send to nobody and servers do not log.
std::string LinkOf(const std::string& base_url, const std::string& secret) {
  return base_url + "/invitation#" + secret;
}

Status CheckPerson(const v1::CreateInvitationRequest& request) {
  if (request.candidate_name().empty() ||
      request.candidate_name().size() > kMaxText)
    return InvalidArgument("candidate_name must be 1 to ", kMaxText,
                           " bytes, found ", request.candidate_name().size());
  const std::string& email = request.candidate_email();
  const std::size_t at = email.find('@');
  const bool right = at != std::string::npos && at > 0 &&
                     at + 1 < email.size() && email.size() <= kMaxText &&
                     email.find_first_of(" \t\r\n<>,;") == std::string::npos;
  if (!email.empty() && !right)
    return InvalidArgument("candidate_email \"", email,
                           "\" is no mail address; leave it empty if there is "
                           "none");
  return {};
}

Expected<v1::CreateInvitationResponse> CreateIn(
    Transaction& tx, const rpc::CallContext& context, const AssignmentId& id,
    const v1::CreateInvitationRequest& request, const std::string& secret_hash,
    Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const storage::AssignmentRecord assignment,
                         tx.assignments.Get(id));
  InvitationRecord invitation;
  invitation.id = InvitationId::Random();
  invitation.assignment = id;
  invitation.assignment_version = assignment.version;
  invitation.candidate_name = request.candidate_name();
  invitation.candidate_email = request.candidate_email();
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
  v1::CreateInvitationResponse response;
  *response.mutable_invitation() = ToProto(invitation, now);
  return response;
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
  attempt.clock = NewClock(assignment.spec);
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
                                     std::string base_url)
    : store_(store), clock_(clock), base_url_(std::move(base_url)) {}

void InvitationService::Register(rpc::MethodRegistry& registry) {
  const std::string service = "assay.v1.InvitationService/";
  rpc::Register(registry, service + "CreateInvitation", this,
                &InvitationService::Create);
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
  ASSAY_CO_RETURN_IF_ERROR(CheckPerson(request));
  using Response = v1::CreateInvitationResponse;
  const std::string secret = RandomToken(kSecretSize);
  // The recorded answer has no secret, which the store must not know. Whoever
  // repeats a request has lost the first one, and gets a fresh one.
  ASSAY_CO_ASSIGN_OR_RETURN(
      Response response,
      co_await store_.Write([context, id, request, hash = Sha256Hex(secret),
                             now = clock_.Now()](
                                Transaction& tx) -> Expected<Response> {
        const storage::RequestKey key{
            context.caller.token.str(),
            "assay.v1.InvitationService/CreateInvitation",
            request.request_id()};
        ASSAY_ASSIGN_OR_RETURN(
            Response made, storage::Once<Response>(tx, key, request, now, [&] {
              return CreateIn(tx, context, id, request, hash, now);
            }));
        ASSAY_ASSIGN_OR_RETURN(const InvitationId invitation,
                               rpc::ParseName<InvitationId>(
                                   "invitations", made.invitation().name()));
        ASSAY_RETURN_IF_ERROR(tx.invitations.ReplaceSecret(
            invitation, hash, rpc::FromProto(made.invitation().expire_time())));
        return made;
      }));
  response.set_secret(secret);
  response.set_link(LinkOf(base_url_, secret));
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
  co_return co_await store_.Write(
      [id, context, now = clock_.Now()](Transaction& tx) -> Expected<Response> {
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
      });
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
  co_return response;
}

}  // namespace assay::attempts
