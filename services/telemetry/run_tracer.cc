#include "services/telemetry/run_tracer.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <optional>
#include <random>
#include <string_view>

#include "proto/base/digest.h"

namespace assay::telemetry {
namespace {

using otlp::v1::Span;
using otlp::v1::SpanStatus;
using storage::RunRecord;

constexpr std::size_t kMostRemembered = 10'000;
constexpr int kMostOfAWorker = 16;
constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;

// assay-run's own spans that an operator sees, by the names they get.
constexpr std::pair<std::string_view, const char*> kRunSpans[] = {
    {"run", "assay.run"},
    {"materialise", "assay.phase.materialise"},
    {"build", "assay.phase.build"},
    {"sidecars", "assay.phase.sidecars"},
    {"start", "assay.phase.start"},
    {"ready", "assay.phase.ready"},
    {"checks", "assay.phase.checks"},
    {"teardown", "assay.phase.teardown"}};
constexpr std::pair<std::string_view, const char*> kWorkerSpans[] = {
    {"fetch", "assay.worker.fetch"},
    {"prepare", "assay.worker.prepare"},
    {"spawn", "assay.worker.spawn"}};

template <std::size_t N>
const char* NameIn(const std::pair<std::string_view, const char*> (&names)[N],
                   const std::string& name) {
  for (const auto& [from, to] : names)
    if (from == name) return to;
  return nullptr;
}

std::uint64_t Nanos(Clock::TimePoint time) {
  return static_cast<std::uint64_t>(ToMicros(time)) * 1'000;
}

std::string SpanId() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string id(8, '\0');
  for (char& byte : id) byte = static_cast<char>(random());
  if (id.find_first_not_of('\0') == std::string::npos) id[0] = 1;
  return id;
}

// The root of a run's trace is what its lease's traceparent names.
std::string RootId(const std::string& trace_id) {
  return FromHex(trace_id.substr(0, kSpanDigits));
}

Span Make(const std::string& trace_id, const char* name, Clock::TimePoint begin,
          Clock::TimePoint end) {
  Span span;
  span.set_trace_id(FromHex(trace_id));
  span.set_span_id(SpanId());
  span.set_parent_span_id(RootId(trace_id));
  span.set_name(name);
  span.set_kind(Span::SPAN_KIND_INTERNAL);
  span.set_start_time_unix_nano(Nanos(begin));
  span.set_end_time_unix_nano(Nanos(std::max(begin, end)));
  span.set_flags(1);
  return span;
}

void Set(Span& span, const char* key, const std::string& value) {
  auto& attribute = *span.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(value);
}
void Set(Span& span, const char* key, std::int64_t value) {
  auto& attribute = *span.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_int_value(value);
}

void MarkFailed(Span& span) {
  span.mutable_status()->set_code(SpanStatus::STATUS_CODE_ERROR);
}

// "push" of "KIND_PUSH".
std::string Word(std::string name, std::size_t prefix) {
  name.erase(0, prefix);
  for (char& c : name)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

bool IsOurs(const Span& span) {
  for (const auto& attribute : span.attributes())
    if (attribute.key() == "service.name") return false;
  return true;
}

// Ids, times and whether it failed; all else may be a candidate's.
std::optional<Span> Copy(const Span& from, const std::string& trace_id,
                         const char* name) {
  if (name == nullptr || from.trace_id() != FromHex(trace_id) ||
      from.span_id().size() != 8 || from.parent_span_id().size() != 8)
    return std::nullopt;
  Span span;
  span.set_trace_id(from.trace_id());
  span.set_span_id(from.span_id());
  span.set_parent_span_id(from.parent_span_id());
  span.set_name(name);
  span.set_kind(Span::SPAN_KIND_INTERNAL);
  span.set_start_time_unix_nano(from.start_time_unix_nano());
  span.set_end_time_unix_nano(from.end_time_unix_nano());
  span.set_flags(1);
  if (from.status().code() == SpanStatus::STATUS_CODE_ERROR) MarkFailed(span);
  return span;
}

bool HasTrace(const RunRecord& run) {
  return run.trace_id.size() == kTraceDigits;
}

}  // namespace

template <class Key, class Value>
void RunTracer::Recent<Key, Value>::Put(const Key& key, Value value) {
  if (!values_.insert_or_assign(key, std::move(value)).second) return;
  order_.push_back(key);
  if (order_.size() <= kMostRemembered) return;
  values_.erase(order_.front());
  order_.pop_front();
}

template <class Key, class Value>
std::optional<Value> RunTracer::Recent<Key, Value>::Take(const Key& key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  Value value = std::move(found->second);
  values_.erase(found);
  std::erase(order_, key);
  return value;
}

RunTracer::RunTracer(boost::asio::any_io_executor strand, storage::Store& store,
                     const Clock& clock, Emit emit)
    : strand_(std::move(strand)),
      store_(store),
      clock_(clock),
      emit_(std::move(emit)) {}

void RunTracer::PushRecorded(const PushId& push, Clock::TimePoint receive) {
  pushes_.Put(push, {receive, clock_.Now()});
}

void RunTracer::Queued(const RunRecord& run) {
  if (!HasTrace(run)) return;
  if (run.state == v1::Run::STATE_SUPERSEDED)
    return EndRun(run, run.state, v1::Run::OUTCOME_UNSPECIFIED);
  const auto times = pushes_.Take(run.push);
  if (!times) return;
  emit_(Make(run.trace_id, "assay.push.receive", times->receive,
             times->recorded));
  emit_(Make(run.trace_id, "assay.push.land", times->recorded, clock_.Now()));
}

void RunTracer::Leased(const RunRecord& run) {
  if (!HasTrace(run)) return;
  const Clock::TimePoint now = clock_.Now();
  Span queue = Make(run.trace_id, "assay.queue", run.queue_time, now);
  Set(queue, "assay.epoch", static_cast<std::int64_t>(run.epoch));
  emit_(std::move(queue));
  leases_.Put(run.id, now);
}

void RunTracer::LeaseSent(const RunRecord& lease) {
  const auto begin = leases_.Take(lease.id);
  if (!begin || !HasTrace(lease)) return;
  emit_(Make(lease.trace_id, "assay.lease.send", *begin, clock_.Now()));
  leases_.Put(lease.id, *begin);
}

void RunTracer::WorkerSpans(
    const RunRecord& lease,
    const google::protobuf::RepeatedPtrField<Span>& spans) {
  for (int i = 0; i < std::min(spans.size(), kMostOfAWorker); ++i)
    if (auto span = Copy(spans[i], lease.trace_id,
                         NameIn(kWorkerSpans, spans[i].name())))
      emit_(*std::move(span));
}

void RunTracer::Reported(const RunRecord& lease,
                         const std::vector<v1::RunEvent>& events,
                         Clock::TimePoint came) {
  if (!HasTrace(lease)) return;
  for (const v1::RunEvent& event : events) {
    for (const Span& each : event.spans().spans())
      if (IsOurs(each))
        if (auto span =
                Copy(each, lease.trace_id, NameIn(kRunSpans, each.name())))
          emit_(*std::move(span));
  }
  auto outcome = v1::Run::OUTCOME_UNSPECIFIED;
  for (const v1::RunEvent& event : events) {
    if (event.has_finished()) outcome = event.finished().outcome();
    if (!event.has_state_changed()) continue;
    const v1::Run::State state = event.state_changed().state();
    const bool over = state == v1::Run::STATE_FINISHED;
    if (!over && state != v1::Run::STATE_QUEUED) continue;
    EndLease(lease, !over);
    if (!over) continue;
    const Clock::TimePoint now = clock_.Now();
    emit_(Make(lease.trace_id, "assay.verdict", came, now));
    ended_.Put(lease.id, {lease.trace_id, now});
    EndRun(lease, state, outcome);
  }
}

void RunTracer::Lost(const RunRecord& run) {
  if (!HasTrace(run)) return;
  EndLease(run, true);
  if (run.state == v1::Run::STATE_FINISHED) EndRun(run, run.state, run.outcome);
}

void RunTracer::Shown(const RunId& run) {
  if (const auto ended = ended_.Take(run))
    emit_(Make(ended->trace_id, "assay.show", ended->time, clock_.Now()));
}

void RunTracer::EndLease(const RunRecord& run, bool lost) {
  const auto begin = leases_.Take(run.id);
  const Clock::TimePoint now = clock_.Now();
  Span lease = Make(run.trace_id, "assay.lease",
                    begin.value_or(run.start_time.value_or(now)), now);
  Set(lease, "assay.epoch", static_cast<std::int64_t>(run.epoch));
  if (lost) MarkFailed(lease);
  emit_(std::move(lease));
}

void RunTracer::EndRun(const RunRecord& run, v1::Run::State state,
                       v1::Run::Outcome outcome) {
  Span root = Make(run.trace_id, "assay.grade", run.queue_time, clock_.Now());
  root.set_span_id(RootId(run.trace_id));
  root.clear_parent_span_id();
  Set(root, "assay.run", run.id.str());
  Set(root, "assay.kind", Word(v1::Run::Kind_Name(run.kind), 5));
  Set(root, "assay.state", Word(v1::Run::State_Name(state), 6));
  if (outcome != v1::Run::OUTCOME_UNSPECIFIED)
    Set(root, "assay.outcome", Word(v1::Run::Outcome_Name(outcome), 8));
  if (outcome == v1::Run::OUTCOME_ERRORED) MarkFailed(root);
  if (run.push.empty()) return emit_(std::move(root));
  boost::asio::co_spawn(strand_, EmitRoot(run, std::move(root)),
                        boost::asio::detached);
}

// Begins where the push did, which may have come to another coordinator.
boost::asio::awaitable<void> RunTracer::EmitRoot(RunRecord run, Span root) {
  const auto push = co_await store_.Read(
      [id = run.push](storage::Transaction& tx) { return tx.pushes.Get(id); });
  if (push) root.set_start_time_unix_nano(Nanos(push->receive_time));
  emit_(std::move(root));
}

}  // namespace assay::telemetry
