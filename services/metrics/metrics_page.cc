#include "services/metrics/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include "services/runs/placement.h"

namespace assay::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using storage::Transaction;

struct Readings {
  storage::RunCounts runs;
  std::vector<storage::QueueGauge> queues;
  std::map<std::string, std::int32_t> waiting;
  std::optional<Clock::TimePoint> next_cut_off;
  std::int64_t notifications = 0;
  std::int64_t errored = 0;
};

Expected<Readings> Read(Transaction& tx) {
  Readings readings;
  ASSAY_ASSIGN_OR_RETURN(readings.runs, tx.runs.Count());
  ASSAY_ASSIGN_OR_RETURN(readings.queues, tx.gauges.Queues());
  ASSAY_ASSIGN_OR_RETURN(readings.waiting, tx.queue.CountByNeeds());
  ASSAY_ASSIGN_OR_RETURN(readings.next_cut_off, tx.gauges.NextCutOff());
  ASSAY_ASSIGN_OR_RETURN(readings.notifications,
                         tx.gauges.WaitingNotifications());
  ASSAY_ASSIGN_OR_RETURN(readings.errored, tx.gauges.ErroredRuns());
  return readings;
}

double Seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

const char* KindLabel(v1::Run::Kind kind) {
  switch (kind) {
    case v1::Run::KIND_FINAL:
      return "final";
    case v1::Run::KIND_PUSH:
      return "push";
    case v1::Run::KIND_REGRADE:
      return "regrade";
    case v1::Run::KIND_REFERENCE:
      return "reference";
    default:
      return "other";
  }
}

// The families of a page, in the order in which they are added.
class Page {
 public:
  using Labels = std::vector<ClientMetric::Label>;

  void Gauge(const std::string& name, const std::string& help, double value,
             Labels labels = {}) {
    ClientMetric& metric = Add(MetricType::Gauge, name, help);
    metric.gauge.value = value;
    metric.label = std::move(labels);
  }
  void Counter(const std::string& name, const std::string& help, double value,
               Labels labels = {}) {
    ClientMetric& metric = Add(MetricType::Counter, name, help);
    metric.counter.value = value;
    metric.label = std::move(labels);
  }
  std::string Text() const {
    return prometheus::TextSerializer().Serialize(families_);
  }

 private:
  ClientMetric& Add(MetricType type, const std::string& name,
                    const std::string& help) {
    if (families_.empty() || families_.back().name != name)
      families_.push_back(
          {.name = name, .help = help, .type = type, .metric = {}});
    return families_.back().metric.emplace_back();
  }

  std::vector<MetricFamily> families_;
};

void AddQueue(Page& page, const Readings& readings, Clock::TimePoint now) {
  constexpr v1::Run::Kind kKinds[] = {v1::Run::KIND_FINAL, v1::Run::KIND_PUSH,
                                      v1::Run::KIND_REGRADE,
                                      v1::Run::KIND_REFERENCE};
  const auto of = [&](v1::Run::Kind kind) {
    for (const storage::QueueGauge& queue : readings.queues)
      if (queue.kind == kind) return queue;
    return storage::QueueGauge{kind, 0, now};
  };
  for (const v1::Run::Kind kind : kKinds)
    page.Gauge("assay_queue_runs", "Runs that wait for a worker.",
               static_cast<double>(of(kind).runs), {{"kind", KindLabel(kind)}});
  for (const v1::Run::Kind kind : kKinds)
    page.Gauge(
        "assay_queue_oldest_seconds",
        "How long the oldest queued run has waited; 0 where none does.",
        std::max(0.0,
                 Seconds(std::chrono::duration_cast<std::chrono::microseconds>(
                     now - of(kind).oldest))),
        {{"kind", KindLabel(kind)}});
  page.Gauge("assay_running_runs", "Runs with a live lease.",
             readings.runs.running);
  page.Gauge("assay_errored_runs",
             "Runs that ended through our fault and wait for a person.",
             static_cast<double>(readings.errored));
}

void AddUnplaceable(Page& page, const Readings& readings,
                    const std::vector<storage::Needs>& offers) {
  std::int64_t runs = 0;
  for (const auto& [text, count] : readings.waiting) {
    const auto needs = storage::ParseNeeds(text);
    if (needs && !runs::Misfit(*needs, offers).empty()) runs += count;
  }
  page.Gauge("assay_queue_unplaceable_runs",
             "Queued runs that no worker of any coordinator can ever take.",
             static_cast<double>(runs));
}

void AddDeadlines(Page& page, const Readings& readings, Clock::TimePoint now) {
  const double lag =
      readings.next_cut_off && *readings.next_cut_off < now
          ? Seconds(std::chrono::duration_cast<std::chrono::microseconds>(
                now - *readings.next_cut_off))
          : 0;
  page.Gauge("assay_deadline_lag_seconds",
             "How long the most overdue attempt has gone unfrozen past its "
             "cut-off; 0 where none has.",
             lag);
  page.Gauge("assay_notifications_waiting",
             "Messages that wait to be sent, or to be tried again.",
             static_cast<double>(readings.notifications));
}

void AddLeases(Page& page, const dispatch::LeaseCounts& leases) {
  page.Counter("assay_leases_granted_total",
               "Runs handed to workers since the start.",
               static_cast<double>(leases.granted));
  page.Counter("assay_leases_finished_total",
               "Leases that ended with a result.",
               static_cast<double>(leases.finished));
  const std::pair<const char*, std::uint64_t> kLosses[] = {
      {"errored", leases.errored},
      {"expired", leases.expired},
      {"handed_back", leases.handed_back},
      {"taken_back", leases.taken_back},
      {"overdue", leases.overdue}};
  for (const auto& [cause, count] : kLosses)
    page.Counter("assay_lease_losses_total",
                 "Leases that ended without a result; the run is queued again.",
                 static_cast<double>(count), {{"cause", cause}});
}

void AddWorkers(Page& page, const std::vector<WorkerLoad>& workers) {
  int held_back = 0;
  int slots = 0;
  int busy = 0;
  for (const WorkerLoad& worker : workers) {
    held_back += worker.held_back ? 1 : 0;
    slots += worker.held_back ? 0 : worker.slots;
    busy += worker.busy;
  }
  const int active = static_cast<int>(workers.size()) - held_back;
  page.Gauge("assay_workers", "Attached processes of workers.", active,
             {{"state", "active"}});
  page.Gauge("assay_workers", "Attached processes of workers.", held_back,
             {{"state", "held_back"}});
  page.Gauge("assay_worker_slots",
             "Runs that all workers that get any may execute at once.", slots);
  page.Gauge("assay_worker_slots_busy", "Runs that workers hold.", busy);
}

void AddSpans(Page& page, const SpanCounts& spans) {
  page.Counter("assay_telemetry_spans_exported_total",
               "Our own spans that the collector has taken.",
               static_cast<double>(spans.exported));
  page.Counter("assay_telemetry_spans_dropped_total",
               "Our own spans that the collector did not take in time.",
               static_cast<double>(spans.dropped));
  page.Gauge("assay_telemetry_spans_waiting",
             "Our own spans that wait to be sent.",
             static_cast<double>(spans.waiting));
}

void AddProbe(Page& page, const ProbeCounts& probe) {
  const std::pair<const char*, std::uint64_t> kResults[] = {
      {"answered", probe.answered}, {"silent", probe.silent}};
  for (const auto& [result, count] : kResults)
    page.Counter("assay_grpc_probes_total",
                 "Questions of this process to its own gRPC port.",
                 static_cast<double>(count), {{"result", result}});
  page.Gauge("assay_grpc_probe_seconds",
             "How long the gRPC port took for its last answer.", probe.seconds);
}

void AddNodes(Page& page, const NodeCounts& nodes) {
  const std::pair<const char*, int> kStates[] = {
      {"live", nodes.live}, {"silent", nodes.silent}, {"lost", nodes.lost}};
  for (const auto& [state, count] : kStates)
    page.Gauge("assay_nodes",
               "Coordinators that share the store, as this one sees them.",
               count, {{"state", state}});
}

// The names that Prometheus's own client libraries use for a process.
void AddProcess(Page& page, Clock::TimePoint start) {
  page.Gauge("process_start_time_seconds",
             "Start time of the process since 1970.",
             Seconds(std::chrono::microseconds(ToMicros(start))));
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  if (statm >> total >> resident)
    page.Gauge("process_resident_memory_bytes", "Resident memory.",
               static_cast<double>(resident * sysconf(_SC_PAGESIZE)));
  std::error_code failed;
  std::int64_t descriptors = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", failed);
       !failed && it != std::filesystem::directory_iterator();
       it.increment(failed))
    ++descriptors;
  if (!failed)
    page.Gauge("process_open_fds", "Open file descriptors.",
               static_cast<double>(descriptors));
}

gateway::HttpResponse Text(int status, std::string type, std::string body) {
  return {.status = status,
          .fields = {{"Content-Type", std::move(type)},
                     {"Cache-Control", "no-store"}},
          .body = std::move(body)};
}

gateway::HttpResponse Plain(int status, std::string body) {
  return Text(status, "text/plain; charset=utf-8", std::move(body));
}

}  // namespace

MetricsPage::MetricsPage(storage::Store& store, const Clock& clock,
                         MetricsParts parts)
    : store_(store),
      clock_(clock),
      parts_(std::move(parts)),
      start_time_(clock.Now()) {}

storage::Async<std::string> MetricsPage::Render() {
  const auto begin = std::chrono::steady_clock::now();
  ASSAY_CO_ASSIGN_OR_RETURN(const Readings readings,
                            co_await store_.Read(Read));
  const std::chrono::duration<double> read =
      std::chrono::steady_clock::now() - begin;
  const Clock::TimePoint now = clock_.Now();
  Page page;
  page.Gauge("assay_info", "What runs here; always 1.", 1,
             {{"version", parts_.version}});
  AddQueue(page, readings, now);
  AddUnplaceable(page, readings, parts_.offers());
  AddDeadlines(page, readings, now);
  AddLeases(page, parts_.leases());
  AddWorkers(page, parts_.workers());
  if (parts_.spans) AddSpans(page, parts_.spans());
  if (parts_.probe) AddProbe(page, parts_.probe());
  if (parts_.oldest_transaction)
    if (const auto age = parts_.oldest_transaction())
      page.Gauge("assay_store_oldest_transaction_seconds",
                 "How long the oldest transaction of any program has been open "
                 "in the store; nothing behind it can be tidied.",
                 static_cast<double>(age->count()));
  if (parts_.nodes) AddNodes(page, parts_.nodes());
  page.Gauge("assay_store_read_seconds",
             "How long the store took to answer for this page.", read.count());
  AddProcess(page, start_time_);
  co_return page.Text();
}

boost::asio::awaitable<gateway::HttpResponse> MetricsPage::Metrics(
    const gateway::HttpRequest& request) {
  const auto caller =
      co_await parts_.authenticate(std::string(request.Field("authorization")));
  // No answer about a token is no reason to make another one.
  if (!caller && caller.error().code != Code::kUnauthenticated)
    co_return Plain(503, caller.error().message + "\n");
  if (!caller) {
    auto refused = Plain(401, caller.error().message + "\n");
    refused.fields.emplace_back("WWW-Authenticate", "Bearer");
    co_return refused;
  }
  if (caller->role != v1::ROLE_ADMIN && caller->role != v1::ROLE_AUTHOR &&
      caller->role != v1::ROLE_REVIEWER && caller->role != v1::ROLE_OBSERVER)
    co_return Plain(403,
                    "metrics are for the staff: use a token of role observer "
                    "(`assay token create --role observer`)\n");
  auto page = co_await Render();
  if (!page) co_return Plain(503, page.error().message + "\n");
  co_return Text(200, "text/plain; version=0.0.4; charset=utf-8",
                 *std::move(page));
}

boost::asio::awaitable<gateway::HttpResponse> MetricsPage::Ready() {
  if (parts_.draining && parts_.draining())
    co_return Plain(503, "this coordinator is drained\n");
  const auto counted =
      co_await store_.Read([](Transaction& tx) { return tx.runs.Count(); });
  if (counted && !parts_.nodes) co_return Plain(200, "ready\n");
  if (counted) {
    const NodeCounts nodes = parts_.nodes();
    const int all = nodes.live + nodes.silent + nodes.lost;
    co_return Plain(200, all == 1 ? "ready\n"
                                  : "ready\n" + std::to_string(nodes.live) +
                                        " of " + std::to_string(all) +
                                        " coordinators live\n");
  }
  // What the store says may name hosts; it stands in the log.
  co_return Plain(503, "the store does not answer\n");
}

boost::asio::awaitable<void> MetricsPage::Handle(
    gateway::HttpExchange& exchange) {
  const gateway::HttpRequest& request = exchange.request();
  gateway::HttpResponse response;
  if (request.method != "GET" && request.method != "HEAD")
    response = Plain(405, "GET only\n");
  else if (request.path == "/readyz")
    response = co_await Ready();
  else
    response = co_await Metrics(request);
  static_cast<void>(co_await exchange.Respond(std::move(response)));
}

}  // namespace assay::metrics
