#ifndef ASSAY_SERVICES_COORDINATOR_READINGS_H_
#define ASSAY_SERVICES_COORDINATOR_READINGS_H_

#include <functional>
#include <vector>

#include "assay/v1/system_service.pb.h"
#include "services/dispatch/dispatcher.h"
#include "services/gateway/grpc_probe.h"
#include "services/metrics/metrics_page.h"
#include "services/nodes/membership.h"
#include "services/telemetry/span_exporter.h"

namespace assay::coordinator {

// What the parts of a coordinator say of themselves, in the words of those who
// show it: the system service and the page of metrics.

std::vector<v1::GetSystemResponse::Worker> WorkersOf(
    const dispatch::Dispatcher& dispatcher);

std::vector<metrics::WorkerLoad> LoadsOf(
    const dispatch::Dispatcher& dispatcher);

// This node counts as live.
metrics::NodeCounts NodesOf(const nodes::Membership& membership);

// All zero without a probe.
metrics::ProbeCounts ProbeCountsOf(const gateway::GrpcProbe* probe);

// Null without an exporter; else borrows it.
std::function<metrics::SpanCounts()> SpanCountsOf(
    const telemetry::SpanExporter* exporter);

}  // namespace assay::coordinator

#endif  // ASSAY_SERVICES_COORDINATOR_READINGS_H_
