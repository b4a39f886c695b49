#ifndef ASSAY_SERVICES_ATTEMPTS_VERSION_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_VERSION_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "assay/v1/assignment_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// What VersionService needs beside the store.
struct VersionParts {
  // Repositories::WriteOfferCommit and WriteBranch.
  std::function<Async<std::string>(RepositoryId, std::string base_commit,
                                   std::string template_commit)>
      write_offer;
  std::function<Async<void>(RepositoryId, std::string branch,
                            std::string commit)>
      write_branch;
  std::function<void()> on_clock_changed;
  std::function<void(const AttemptId&)> on_changed;
};

// The methods of assay.v1.AssignmentService about attempts that run while
// their assignment gets a new version.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class VersionService {
 public:
  VersionService(storage::Store& store, const Clock& clock, VersionParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::MoveAttemptsResponse> Move(rpc::CallContext context,
                                       v1::MoveAttemptsRequest request);
  Async<v1::OfferTemplateResponse> Offer(rpc::CallContext context,
                                         v1::OfferTemplateRequest request);
  Async<void> OfferTo(rpc::CallContext context, storage::AttemptRecord attempt,
                      storage::AssignmentRecord assignment,
                      v1::OfferTemplateResponse& response);

  storage::Store& store_;
  const Clock& clock_;
  const VersionParts parts_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_VERSION_SERVICE_H_
