#ifndef ASSAY_SERVICES_ATTEMPTS_LOST_LINK_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_LOST_LINK_SERVICE_H_

#include <deque>
#include <functional>
#include <string>

#include "assay/v1/invitation_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// The part of assay.v1.InvitationService that candidates without a link use.
//
// Whoever asks learns nothing: the answer is the same, and takes as long, for
// an address that nobody was invited by. The link goes to the address and
// nowhere else, and takes the place of none, so that asking for somebody else
// locks nobody out.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class LostLinkService {
 public:
  // See InvitationService. `on_mail` is told of each request: there may be
  // something to send.
  LostLinkService(
      storage::Store& store, const Clock& clock, std::string base_url,
      bool mails_links, std::function<void()> on_mail = [] {});
  void Register(rpc::MethodRegistry& registry);

 private:
  struct Asked {
    Clock::TimePoint time;
    std::string peer;
  };

  Async<v1::RequestLinkResponse> RequestLink(rpc::CallContext context,
                                             v1::RequestLinkRequest request);
  // Whether one more may ask now; counted if so.
  bool Admit(const std::string& peer, Clock::TimePoint now);

  storage::Store& store_;
  const Clock& clock_;
  const std::string base_url_;
  const bool mails_links_;
  const std::function<void()> on_mail_;
  // Of the last hour, oldest first.
  std::deque<Asked> asked_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_LOST_LINK_SERVICE_H_
