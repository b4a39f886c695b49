#ifndef ASSAY_SERVICES_METRICS_METRICS_PAGE_H_
#define ASSAY_SERVICES_METRICS_METRICS_PAGE_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.h"
#include "services/dispatch/lease_counts.h"
#include "services/gateway/http_exchange.h"
#include "services/gateway/method_gate.h"
#include "services/storage/store.h"
#include "services/storage/tables/needs.h"

namespace assay::metrics {

struct WorkerLoad {
  std::string name;
  int slots = 0;
  int busy = 0;
  bool held_back = false;
};

// Our own spans on their way to a collector, since the start.
struct SpanCounts {
  std::uint64_t exported = 0;
  std::uint64_t dropped = 0;
  std::uint64_t waiting = 0;
};

// How our own gRPC port answers us.
struct ProbeCounts {
  std::uint64_t answered = 0;
  std::uint64_t silent = 0;
  double seconds = 0;
};

// Coordinators that share the store, as this one sees them.
struct NodeCounts {
  int live = 0;
  int silent = 0;
  int lost = 0;
};

struct MetricsParts {
  std::string version;
  std::function<dispatch::LeaseCounts()> leases;
  // Processes that are attached to this coordinator.
  std::function<std::vector<WorkerLoad>()> workers;
  // Of those that get runs, at all coordinators.
  std::function<std::vector<storage::Needs>()> offers;
  // Absent: there is one coordinator.
  std::function<NodeCounts()> nodes = {};
  // Whether somebody wants this coordinator to take nothing new.
  std::function<bool()> draining = {};
  gateway::Authenticate authenticate;
  // Absent where nothing is exported.
  std::function<SpanCounts()> spans = nullptr;
  std::function<ProbeCounts()> probe = nullptr;
  // Age of the oldest transaction that is open in the store, by whatever
  // program; nothing where that is not known.
  std::function<std::optional<std::chrono::seconds>()> oldest_transaction =
      nullptr;
};

// Answers `/metrics` in Prometheus's text format 0.0.4, to anybody of the staff
// (a token of role observer is enough; candidates and workers are refused), and
// `/readyz`: 200 while the store answers, else 503 and why.
//
// Names follow https://prometheus.io/docs/practices/naming: seconds and bytes,
// `_total` for counters. Of people and assignments nothing is told.
//
// Ownership: borrows store and clock. Threads: confined to the coordinator's
// strand.
class MetricsPage {
 public:
  MetricsPage(storage::Store& store, const Clock& clock, MetricsParts parts);

  // What `/metrics` shows.
  storage::Async<std::string> Render();
  // Answers one request for `/metrics` or `/readyz`.
  boost::asio::awaitable<void> Handle(gateway::HttpExchange& exchange);

 private:
  boost::asio::awaitable<gateway::HttpResponse> Metrics(
      const gateway::HttpRequest& request);
  boost::asio::awaitable<gateway::HttpResponse> Ready();

  storage::Store& store_;
  const Clock& clock_;
  const MetricsParts parts_;
  const Clock::TimePoint start_time_;
};

}  // namespace assay::metrics

#endif  // ASSAY_SERVICES_METRICS_METRICS_PAGE_H_
