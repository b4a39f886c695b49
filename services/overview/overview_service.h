#ifndef ASSAY_SERVICES_OVERVIEW_OVERVIEW_SERVICE_H_
#define ASSAY_SERVICES_OVERVIEW_OVERVIEW_SERVICE_H_

#include <functional>
#include <vector>

#include "assay/v1/overview_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/runs/placement.h"
#include "services/storage/store.h"

namespace assay::overview {

// What the attached workers that get runs offer: how many at once, and each of
// them.
struct WorkerOffers {
  int slots = 0;
  std::vector<storage::Needs> offers;
};

// assay.v1.OverviewService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class OverviewService {
 public:
  OverviewService(storage::Store& store, const Clock& clock,
                  std::function<WorkerOffers()> workers);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::GetHomeResponse> GetHome(rpc::CallContext context,
                                          v1::GetHomeRequest request);
  rpc::Async<v1::ListCandidatesResponse> ListCandidates(
      rpc::CallContext context, v1::ListCandidatesRequest request);
  rpc::Async<v1::GetStatisticsResponse> GetStatistics(
      rpc::CallContext context, v1::GetStatisticsRequest request);

  storage::Store& store_;
  const Clock& clock_;
  const std::function<WorkerOffers()> workers_;
};

}  // namespace assay::overview

#endif  // ASSAY_SERVICES_OVERVIEW_OVERVIEW_SERVICE_H_
