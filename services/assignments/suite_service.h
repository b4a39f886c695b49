#ifndef ASSAY_SERVICES_ASSIGNMENTS_SUITE_SERVICE_H_
#define ASSAY_SERVICES_ASSIGNMENTS_SUITE_SERVICE_H_

#include <functional>

#include "assay/v1/file_tree.pb.h"
#include "assay/v1/suite_service.pb.h"
#include "services/rpc/method_registry.h"
#include "services/storage/blobs/blob_store.h"
#include "services/storage/store.h"

namespace assay::assignments {

// assay.v1.SuiteService.
//
// Ownership: borrows store and blobs.
// Threads: confined to the coordinator's strand.
class SuiteService {
 public:
  // Compiles a suite and says what is wrong with it: CheckWithRunnerSuite.
  using Check = std::function<v1::CheckSuiteResponse(const v1::FileTree&)>;

  SuiteService(storage::Store& store, storage::BlobStore& blobs, Check check);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::CheckSuiteResponse> CheckSuite(rpc::CallContext context,
                                                v1::CheckSuiteRequest request);
  rpc::Async<v1::GetSuiteResponse> GetSuite(rpc::CallContext context,
                                            v1::GetSuiteRequest request);

  storage::Store& store_;
  storage::BlobStore& blobs_;
  const Check check_;
};

}  // namespace assay::assignments

#endif  // ASSAY_SERVICES_ASSIGNMENTS_SUITE_SERVICE_H_
