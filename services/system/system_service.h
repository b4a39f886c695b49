#ifndef ASSAY_SERVICES_SYSTEM_SYSTEM_SERVICE_H_
#define ASSAY_SERVICES_SYSTEM_SYSTEM_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "assay/v1/system_service.pb.h"
#include "proto/base/clock.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::system {

struct SystemParts {
  std::string version;
  // Attached workers, as the dispatcher knows them.
  std::function<std::vector<v1::GetSystemResponse::Worker>()> workers;
};

// assay.v1.SystemService.
//
// Ownership: borrows store and clock.
// Threads: confined to the coordinator's strand.
class SystemService {
 public:
  SystemService(storage::Store& store, const Clock& clock, SystemParts parts);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::GetSystemResponse> Get(rpc::CallContext context,
                                        v1::GetSystemRequest request);
  rpc::Async<v1::CreateTokenResponse> CreateToken(
      rpc::CallContext context, v1::CreateTokenRequest request);
  rpc::Async<v1::RevokeTokenResponse> RevokeToken(
      rpc::CallContext context, v1::RevokeTokenRequest request);

  storage::Store& store_;
  const Clock& clock_;
  const SystemParts parts_;
};

}  // namespace assay::system

#endif  // ASSAY_SERVICES_SYSTEM_SYSTEM_SERVICE_H_
