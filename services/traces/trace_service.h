#ifndef ASSAY_SERVICES_TRACES_TRACE_SERVICE_H_
#define ASSAY_SERVICES_TRACES_TRACE_SERVICE_H_

#include <vector>

#include "assay/v1/trace_service.pb.h"
#include "services/rpc/method_registry.h"
#include "services/storage/store.h"

namespace assay::traces {

// Spans by the service that made them, which each names in its `service.name`
// attribute; those without one are ours, "assay". In the order of their first
// span.
std::vector<otlp::v1::ResourceSpans> ByService(
    std::vector<otlp::v1::Span> spans);

// assay.v1.TraceService.
//
// Ownership: borrows `store`. Threads: confined to the coordinator's strand.
class TraceService {
 public:
  explicit TraceService(storage::Store& store);
  void Register(rpc::MethodRegistry& registry);

 private:
  rpc::Async<v1::GetTraceResponse> Get(rpc::CallContext context,
                                       v1::GetTraceRequest request);

  rpc::Async<void> Read(rpc::CallContext context, v1::ReadSpansRequest request,
                        rpc::StreamWriter<v1::ReadSpansResponse> writer);

  storage::Store& store_;
};

}  // namespace assay::traces

#endif  // ASSAY_SERVICES_TRACES_TRACE_SERVICE_H_
