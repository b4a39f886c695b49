#ifndef ASSAY_SERVICES_ATTEMPTS_DECISION_SERVICE_H_
#define ASSAY_SERVICES_ATTEMPTS_DECISION_SERVICE_H_

#include <functional>

#include "assay/v1/decision_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::attempts {

using rpc::Async;

v1::Decision ToProto(const storage::DecisionRecord& decision);

// assay.v1.DecisionService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class DecisionService {
 public:
  // `on_changed` is called for the attempt that was decided on.
  DecisionService(storage::Store& store, const Clock& clock,
                  std::function<void(const AttemptId&)> on_changed = {});
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::CreateDecisionResponse> Create(rpc::CallContext context,
                                           v1::CreateDecisionRequest request);
  Async<v1::ListDecisionsResponse> List(rpc::CallContext context,
                                        v1::ListDecisionsRequest request);

  storage::Store& store_;
  const Clock& clock_;
  const std::function<void(const AttemptId&)> on_changed_;
};

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_DECISION_SERVICE_H_
