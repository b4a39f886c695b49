#ifndef ASSAY_SERVICES_ATTEMPTS_REFERENCE_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_REFERENCE_SERVICE_H_

#include <functional>
#include <string>

#include "assay/v1/assignment_service.pb.h"
#include "proto/base/clock.h"
#include "services/identity/identity.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_feed.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

// What the service needs from elsewhere.
struct ReferenceParts {
  // As AttemptParts::create_repository.
  std::function<Async<void>(RepositoryId, std::string template_commit)>
      create_repository;
  runs::RunFeed* feed = nullptr;
  // The home of the repositories that are made here.
  std::string node = {};
  std::string base_url;
};

// The methods of assay.v1.AssignmentService about the author's own solution: an
// attempt of nobody, whose repository, pushes and runs are like any other's.
// PushRecorder grades what is pushed there.
//
// Ownership: borrows store, identity and clock.
// Threads: confined to the coordinator's strand.
class ReferenceService {
 public:
  ReferenceService(storage::Store& store, identity::Identity& identity,
                   const Clock& clock, ReferenceParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::GetReferenceResponse> Get(rpc::CallContext context,
                                      v1::GetReferenceRequest request);
  Async<v1::OpenReferenceResponse> Open(rpc::CallContext context,
                                        v1::OpenReferenceRequest request);
  Async<v1::GradeReferenceResponse> Grade(rpc::CallContext context,
                                          v1::GradeReferenceRequest request);

  storage::Store& store_;
  identity::Identity& identity_;
  const Clock& clock_;
  const ReferenceParts parts_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_REFERENCE_SERVICE_H_
