#include "services/coordinator/readings.h"

#include "services/rpc/proto_time.h"

namespace assay::coordinator {
std::vector<v1::GetSystemResponse::Worker> WorkersOf(
    const dispatch::Dispatcher& dispatcher) {
  std::vector<v1::GetSystemResponse::Worker> workers;
  for (const auto& info : dispatcher.Workers()) {
    v1::GetSystemResponse::Worker& worker = workers.emplace_back();
    worker.set_name(info.name);
    worker.set_held_back(info.held_back);
    worker.set_slots(info.slots);
    worker.set_busy(info.busy);
    *worker.mutable_attach_time() = rpc::ToProto(info.attach_time);
  }
  return workers;
}

std::vector<metrics::WorkerLoad> LoadsOf(
    const dispatch::Dispatcher& dispatcher) {
  std::vector<metrics::WorkerLoad> loads;
  for (const auto& info : dispatcher.Workers())
    loads.push_back(
        {info.name, info.slots, info.busy, !info.held_back.empty()});
  return loads;
}

metrics::NodeCounts NodesOf(const nodes::Membership& membership) {
  metrics::NodeCounts counts{.live = 1};
  for (const storage::NodeRecord& node : membership.others()) {
    switch (membership.StandingOf(node)) {
      case nodes::Membership::Standing::kLive:
        ++counts.live;
        break;
      case nodes::Membership::Standing::kSilent:
        ++counts.silent;
        break;
      case nodes::Membership::Standing::kLost:
        ++counts.lost;
        break;
    }
  }
  return counts;
}

metrics::ProbeCounts ProbeCountsOf(const gateway::GrpcProbe* probe) {
  if (probe == nullptr) return {};
  const gateway::GrpcProbe::Counts counts = probe->counts();
  return {.answered = counts.answered,
          .silent = counts.silent,
          .seconds = counts.took.count()};
}

std::function<metrics::SpanCounts()> SpanCountsOf(
    const telemetry::SpanExporter* exporter) {
  if (exporter == nullptr) return nullptr;
  return [exporter] {
    const auto counts = exporter->counts();
    return metrics::SpanCounts{.exported = counts.exported,
                               .dropped = counts.dropped,
                               .waiting = counts.waiting};
  };
}

}  // namespace assay::coordinator
