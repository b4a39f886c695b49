#ifndef ASSAY_RUNNER_TELEMETRY_TRACER_H_
#define ASSAY_RUNNER_TELEMETRY_TRACER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "assay/otlp/v1/trace.pb.h"
#include "runner/telemetry/event_sink.h"
#include "runner/telemetry/trace_context.h"

namespace assay::telemetry {

class Tracer;

// A span under way. Ends when it is destroyed, at the latest.
//
// Ownership: borrows its tracer, which outlives it.
class Span {
 public:
  Span() = default;
  Span(Span&& other) noexcept;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  const TraceContext& context() const { return context_; }
  void Set(std::string_view key, std::string_view value);
  void Set(std::string_view key, const char* value) {
    Set(key, std::string_view(value));
  }
  void Set(std::string_view key, std::int64_t value);
  void Set(std::string_view key, int value) {
    Set(key, static_cast<std::int64_t>(value));
  }
  void Set(std::string_view key, bool value);
  // 0: now.
  void AddEvent(std::string_view name, std::uint64_t nanos = 0);
  void Rename(std::string_view name) { span_.set_name(std::string(name)); }
  // Marks the span as failed; the first reason stays.
  void Fail(std::string_view reason);
  void End() { EndAt(0); }
  // 0: now.
  void EndAt(std::uint64_t nanos);

 private:
  friend class Tracer;
  Tracer* tracer_ = nullptr;
  TraceContext context_;
  assay::otlp::v1::Span span_;
};

// Makes the spans of one run and hands them on in batches.
//
// Ownership: borrows the sink.
// Threads: confined to the run's thread.
class Tracer {
 public:
  // More requests and statements than this are counted, not kept: a service
  // must not be able to fill the store by running statements.
  static constexpr std::int64_t kQuota = 20'000;
  // A batch is handed on at so many spans, or at so many bytes: events travel
  // in messages of at most 4 MiB.
  static constexpr int kBatch = 256;
  static constexpr std::size_t kBatchBytes = 256 << 10;

  // `trace_id`: 16 bytes, of every span made here.
  Tracer(EventSink& sink, std::string trace_id);

  // Starts a span below `parent` (empty span id: at the top) now, or at
  // `nanos`.
  Span Start(std::string_view name, const TraceContext& parent,
             assay::otlp::v1::Span::SpanKind kind =
                 assay::otlp::v1::Span::SPAN_KIND_INTERNAL,
             std::uint64_t nanos = 0);
  // The same for a span whose ids were given out before.
  Span StartAs(const TraceContext& context, std::string_view name,
               const TraceContext& parent, assay::otlp::v1::Span::SpanKind kind,
               std::uint64_t nanos);
  // A span that somebody else made. It has ended.
  void Add(assay::otlp::v1::Span span);
  // Is told every span as it ends, also those over the quota.
  using Watch = std::function<void(const assay::otlp::v1::Span&)>;
  void SetWatch(Watch watch) { watch_ = std::move(watch); }
  // Spans that start from now on are marked `assay.hidden`.
  void SetHidden(bool hidden) { hidden_ = hidden; }
  // Hands on what has ended since the last batch.
  void Flush();
  const std::string& trace_id() const { return trace_id_; }

 private:
  friend class Span;
  void Ended(assay::otlp::v1::Span span);
  void Keep(assay::otlp::v1::Span span, bool counted);

  EventSink& sink_;
  std::string trace_id_;
  assay::v1::RunEvent batch_;
  std::size_t batch_bytes_ = 0;
  std::int64_t kept_ = 0;
  std::int64_t dropped_ = 0;
  Watch watch_;
  bool hidden_ = false;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_TRACER_H_
