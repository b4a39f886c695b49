#ifndef ASSAY_SERVICES_ATTEMPTS_INVITATION_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_INVITATION_SERVICE_H_

#include <functional>
#include <string>

#include "assay/v1/invitation_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// assay.v1.InvitationService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class InvitationService {
 public:
  // `base_url` is what links begin with: "https://assay.example.org". With
  // `mails_links`, links go to the candidate's address, too; the outbox then
  // holds a link's secret until it was sent.
  // `on_changed` follows every change.
  InvitationService(storage::Store& store, const Clock& clock,
                    std::string base_url, bool mails_links = false,
                    std::function<void()> on_changed = {});
  void Register(rpc::MethodRegistry& registry);

 private:
  void Changed() const {
    if (on_changed_) on_changed_();
  }
  Async<v1::CreateInvitationResponse> Create(
      rpc::CallContext context, v1::CreateInvitationRequest request);
  Async<v1::CreateInvitationsResponse> CreateMany(
      rpc::CallContext context, v1::CreateInvitationsRequest request);
  Async<v1::ResendInvitationResponse> Resend(
      rpc::CallContext context, v1::ResendInvitationRequest request);
  Async<v1::ListInvitationsResponse> List(rpc::CallContext context,
                                          v1::ListInvitationsRequest request);
  Async<v1::RevokeInvitationResponse> Revoke(
      rpc::CallContext context, v1::RevokeInvitationRequest request);
  Async<v1::AcceptInvitationResponse> Accept(
      rpc::CallContext context, v1::AcceptInvitationRequest request);

  storage::Store& store_;
  const Clock& clock_;
  const std::string base_url_;
  const bool mails_links_;
  const std::function<void()> on_changed_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_INVITATION_SERVICE_H_
