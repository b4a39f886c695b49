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
// A batch of spans is some tens of kilobytes.
constexpr std::int32_t kEventsAtOnce = 16;

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
  rpc::Register(registry, "assay.v1.TraceService/ReadSpans", this,
                &TraceService::Read);
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

rpc::Async<void> TraceService::Read(
    rpc::CallContext context, v1::ReadSpansRequest request,
    rpc::StreamWriter<v1::ReadSpansResponse> writer) {
  ASSAY_CO_ASSIGN_OR_RETURN(const RunId id,
                            rpc::ParseName<RunId>("runs", request.run()));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const storage::RunRecord run,
      co_await store_.Read(
          [id](storage::Transaction& tx) { return tx.runs.Get(id); }));
  std::int64_t after = 0;
  for (bool more = true; more;) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        std::vector<storage::StoredEvent> events,
        co_await store_.Read([id, after,
                              epoch = run.epoch](storage::Transaction& tx) {
          return tx.run_events.ListSpanEvents(id, epoch, after, kEventsAtOnce);
        }));
    more = std::ssize(events) == kEventsAtOnce;
    if (events.empty()) break;
    after = events.back().sequence;
    v1::ReadSpansResponse response;
    for (storage::StoredEvent& event : events)
      *response.add_events() = std::move(event.content);
    ASSAY_CO_RETURN_IF_ERROR(co_await writer.Write(std::move(response)));
  }
  co_return Status();
}

}  // namespace assay::traces
