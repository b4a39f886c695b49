#include "services/traces/trace_service.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "services/rpc/register_method.h"
#include "services/rpc/resource_name.h"

namespace assay::traces {
namespace {

constexpr std::string_view kServiceName = "service.name";
constexpr std::string_view kOurName = "assay";

std::string ServiceOf(const otlp::v1::Span& span) {
  for (const otlp::v1::KeyValue& attribute : span.attributes())
    if (attribute.key() == kServiceName)
      return attribute.value().string_value();
  return std::string(kOurName);
}

}  // namespace

std::vector<otlp::v1::ResourceSpans> ByService(
    std::vector<otlp::v1::Span> spans) {
  std::vector<otlp::v1::ResourceSpans> resources;
  std::map<std::string, std::size_t> by_name;
  for (otlp::v1::Span& span : spans) {
    const std::string service = ServiceOf(span);
    const auto [it, added] = by_name.emplace(service, resources.size());
    if (added) {
      auto& attribute =
          *resources.emplace_back().mutable_resource()->add_attributes();
      attribute.set_key(std::string(kServiceName));
      attribute.mutable_value()->set_string_value(service);
      resources.back().add_scope_spans()->mutable_scope()->set_name(
          std::string(kOurName));
    }
    *resources[it->second].mutable_scope_spans(0)->add_spans() =
        std::move(span);
  }
  return resources;
}

TraceService::TraceService(storage::Store& store) : store_(store) {}

void TraceService::Register(rpc::MethodRegistry& registry) {
  rpc::Register(registry, "assay.v1.TraceService/GetTrace", this,
                &TraceService::Get);
}

rpc::Async<v1::GetTraceResponse> TraceService::Get(
    rpc::CallContext context, v1::GetTraceRequest request) {
  ASSAY_CO_ASSIGN_OR_RETURN(const RunId id,
                            rpc::ParseName<RunId>("runs", request.run()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      storage::RunSpans spans,
      co_await store_.Read(
          [id](storage::Transaction& tx) -> Expected<storage::RunSpans> {
            ASSAY_ASSIGN_OR_RETURN(const storage::RunRecord run,
                                   tx.runs.Get(id));
            return tx.run_events.ListSpans(id, run.epoch);
          }));
  v1::GetTraceResponse response;
  response.set_dropped_span_count(spans.dropped);
  for (otlp::v1::ResourceSpans& resource : ByService(std::move(spans.spans)))
    *response.add_resource_spans() = std::move(resource);
  co_return response;
}

}  // namespace assay::traces
