#ifndef ASSAY_SERVICES_RUNS_RUN_SERVICE_H_
#define ASSAY_SERVICES_RUNS_RUN_SERVICE_H_

#include "assay/v1/run_service.pb.h"
#include "services/rpc/method_registry.h"
#include "services/runs/run_feed.h"
#include "services/runs/run_reader.h"

namespace assay::runs {

// assay.v1.RunService.
//
// Ownership: borrows both; must outlive the registry's use.
// Threads: confined to the coordinator's strand.
class RunService {
 public:
  RunService(RunReader& reader, RunFeed& feed);
  void Register(rpc::MethodRegistry& registry);

 private:
  Async<v1::GetRunResponse> GetRun(rpc::CallContext context,
                                   v1::GetRunRequest request);
  Async<v1::ListRunsResponse> ListRuns(rpc::CallContext context,
                                       v1::ListRunsRequest request);
  Async<void> WatchRun(rpc::CallContext context, v1::WatchRunRequest request,
                       rpc::StreamWriter<v1::WatchRunResponse> writer);
  Async<void> WatchRuns(rpc::CallContext context, v1::WatchRunsRequest request,
                        rpc::StreamWriter<v1::WatchRunsResponse> writer);

  RunReader& reader_;
  RunFeed& feed_;
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_RUN_SERVICE_H_
