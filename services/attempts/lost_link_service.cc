#include "services/attempts/lost_link_service.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "proto/base/digest.h"
#include "services/attempts/invitees.h"
#include "services/notify/outbox.h"
#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::attempts {
namespace {

using storage::InvitationRecord;
using storage::Transaction;

// Requests in an hour. A proxy in front makes all of them one peer's.
constexpr std::size_t kMostOfAPeer = 30;
constexpr std::size_t kMostOfAll = 300;
constexpr std::chrono::hours kWindow{1};
// Links of one invitation.
constexpr std::chrono::minutes kPause{10};
constexpr std::int64_t kMostInADay = 5;
// Nobody has more invitations that are open at once.
constexpr std::int32_t kMostInvitations = 20;
// 260 bits.
constexpr std::size_t kSecretSize = 52;

// "10.0.0.1" of "10.0.0.1:4711": each connection has a port of its own.
std::string HostOf(const std::string& peer) {
  return peer.substr(0, peer.rfind(':'));
}

Expected<bool> MaySend(Transaction& tx, const InvitationRecord& invitation,
                       Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(
      const std::int64_t lately,
      tx.invitations.CountSecretsSince(invitation.id, now - kPause));
  ASSAY_ASSIGN_OR_RETURN(const std::int64_t today,
                         tx.invitations.CountSecretsSince(
                             invitation.id, now - std::chrono::days(1)));
  return lately == 0 && today < kMostInADay;
}

Status Send(Transaction& tx, const InvitationRecord& invitation,
            const std::string& base_url, Clock::TimePoint now) {
  const std::string secret = RandomToken(kSecretSize);
  ASSAY_RETURN_IF_ERROR(
      tx.invitations.AddSecret(invitation.id, Sha256Hex(secret), now));
  ASSAY_ASSIGN_OR_RETURN(const storage::AssignmentRecord assignment,
                         tx.assignments.Get(invitation.assignment));
  return notify::Tell(
      tx,
      {.topic = "invitation",
       .recipient = invitation.candidate_email,
       .subject = "Your link: " + assignment.spec.title(),
       .body = "Somebody, most likely you, asked for the link to \"" +
               assignment.spec.title() +
               "\" to be sent again. Here it is:\n\n" + base_url +
               "/invitation#" + secret +
               "\n\nOlder links keep working. If it was not you, nothing needs "
               "to be done: the link went to this address only.\n",
       .attempt = invitation.attempt},
      now);
}

// One record whoever it was for, so that both cases take one write.
Status SendAll(Transaction& tx, const std::string& email,
               const std::string& base_url, Clock::TimePoint now) {
  ASSAY_ASSIGN_OR_RETURN(const auto open,
                         tx.invitations.ListOpen(email, now, kMostInvitations));
  int sent = 0;
  std::string subject = "invitations";
  for (const InvitationRecord& invitation : open) {
    ASSAY_ASSIGN_OR_RETURN(const bool may, MaySend(tx, invitation, now));
    if (!may) continue;
    ASSAY_RETURN_IF_ERROR(Send(tx, invitation, base_url, now));
    subject = rpc::FormatName("invitations", invitation.id);
    ++sent;
  }
  return tx.audit.Append({.time = now,
                          .actor = "anyone",
                          .action = "invitation.request_link",
                          .subject = subject,
                          .detail = std::to_string(sent) + " links mailed"});
}

}  // namespace

LostLinkService::LostLinkService(storage::Store& store, const Clock& clock,
                                 std::string base_url, bool mails_links,
                                 std::function<void()> on_mail)
    : store_(store),
      clock_(clock),
      base_url_(std::move(base_url)),
      mails_links_(mails_links),
      on_mail_(std::move(on_mail)) {}

void LostLinkService::Register(rpc::MethodRegistry& registry) {
  rpc::Register(registry, "assay.v1.InvitationService/RequestLink", this,
                &LostLinkService::RequestLink);
}

bool LostLinkService::Admit(const std::string& peer, Clock::TimePoint now) {
  // A clock that was set back must not keep old ones for long.
  while (!asked_.empty() && (asked_.front().time <= now - kWindow ||
                             asked_.front().time > now + kWindow))
    asked_.pop_front();
  const std::string host = HostOf(peer);
  const auto of_peer = std::ranges::count(
      asked_, host, [](const Asked& one) { return one.peer; });
  if (asked_.size() >= kMostOfAll ||
      static_cast<std::size_t>(of_peer) >= kMostOfAPeer)
    return false;
  asked_.push_back({.time = now, .peer = host});
  return true;
}

Async<v1::RequestLinkResponse> LostLinkService::RequestLink(
    rpc::CallContext context, v1::RequestLinkRequest request) {
  if (!mails_links_)
    co_return FailedPrecondition(
        "this server sends no mail; ask whoever invited you for a new link");
  if (!IsAddress(request.email()))
    co_return InvalidArgument(
        "email is no mail address; expected the one that the invitation was "
        "sent to");
  const Clock::TimePoint now = clock_.Now();
  if (!Admit(context.peer, now))
    co_return ResourceExhausted(
        "many links were asked for in the last hour; try again later, or ask "
        "whoever invited you");
  ASSAY_CO_RETURN_IF_ERROR(co_await store_.Write(
      [email = request.email(), base_url = base_url_, now](Transaction& tx) {
        return SendAll(tx, email, base_url, now);
      }));
  on_mail_();
  co_return v1::RequestLinkResponse();
}

}  // namespace assay::attempts
