#ifndef ASSAY_SERVICES_NODES_NODE_SERVICE_H_
#define ASSAY_SERVICES_NODES_NODE_SERVICE_H_

#include <functional>
#include <string>

#include "assay/v1/node_service.pb.h"
#include "proto/base/clock.h"
#include "services/nodes/membership.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::nodes {

// assay.v1.NodeService.
//
// Ownership: borrows all that it is made of.
// Threads: confined to the coordinator's strand.
class NodeService {
 public:
  // `on_changed`: a row was changed, durably.
  NodeService(storage::Store& store, const Clock& clock,
              const Membership& membership, std::function<v1::NodeLoad()> load,
              std::function<void()> on_changed);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::ListNodesResponse> List(rpc::CallContext context,
                                         v1::ListNodesRequest request);
  rpc::Async<v1::DrainNodeResponse> Drain(rpc::CallContext context,
                                          v1::DrainNodeRequest request);
  rpc::Async<v1::ForgetNodeResponse> Forget(rpc::CallContext context,
                                            v1::ForgetNodeRequest request);
  v1::Node ToProto(const storage::NodeRecord& record) const;

  storage::Store& store_;
  const Clock& clock_;
  const Membership& membership_;
  const std::function<v1::NodeLoad()> load_;
  const std::function<void()> on_changed_;
};

}  // namespace assay::nodes

#endif  // ASSAY_SERVICES_NODES_NODE_SERVICE_H_
