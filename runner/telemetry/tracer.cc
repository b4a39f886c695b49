#include "runner/telemetry/tracer.h"

#include <utility>

namespace assay::telemetry {

namespace otlp = assay::otlp::v1;

Span::Span(Span&& other) noexcept
    : tracer_(std::exchange(other.tracer_, nullptr)),
      context_(std::move(other.context_)),
      span_(std::move(other.span_)) {}

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  tracer_ = std::exchange(other.tracer_, nullptr);
  context_ = std::move(other.context_);
  span_ = std::move(other.span_);
  return *this;
}

void Span::Set(std::string_view key, std::string_view value) {
  otlp::KeyValue& pair = *span_.add_attributes();
  pair.set_key(std::string(key));
  pair.mutable_value()->set_string_value(std::string(value));
}

void Span::Set(std::string_view key, std::int64_t value) {
  otlp::KeyValue& pair = *span_.add_attributes();
  pair.set_key(std::string(key));
  pair.mutable_value()->set_int_value(value);
}

void Span::Set(std::string_view key, bool value) {
  otlp::KeyValue& pair = *span_.add_attributes();
  pair.set_key(std::string(key));
  pair.mutable_value()->set_bool_value(value);
}

void Span::AddEvent(std::string_view name, std::uint64_t nanos) {
  otlp::Span::Event& event = *span_.add_events();
  event.set_time_unix_nano(nanos != 0 ? nanos : NowNanos());
  event.set_name(std::string(name));
}

void Span::Fail(std::string_view reason) {
  otlp::SpanStatus& status = *span_.mutable_status();
  if (status.code() == otlp::SpanStatus::STATUS_CODE_ERROR) return;
  status.set_code(otlp::SpanStatus::STATUS_CODE_ERROR);
  status.set_message(std::string(reason));
}

void Span::EndAt(std::uint64_t nanos) {
  if (tracer_ == nullptr) return;
  span_.set_end_time_unix_nano(nanos != 0 ? nanos : NowNanos());
  std::exchange(tracer_, nullptr)->Ended(std::move(span_));
}

Tracer::Tracer(EventSink& sink, std::string trace_id)
    : sink_(sink), trace_id_(std::move(trace_id)) {}

Span Tracer::Start(std::string_view name, const TraceContext& parent,
                   otlp::Span::SpanKind kind, std::uint64_t nanos) {
  return StartAs({trace_id_, RandomBytes(8)}, name, parent, kind, nanos);
}

Span Tracer::StartAs(const TraceContext& context, std::string_view name,
                     const TraceContext& parent, otlp::Span::SpanKind kind,
                     std::uint64_t nanos) {
  Span span;
  span.tracer_ = this;
  span.context_ = context;
  span.span_.set_trace_id(trace_id_);
  span.span_.set_span_id(span.context_.span_id);
  span.span_.set_parent_span_id(parent.span_id);
  span.span_.set_name(std::string(name));
  span.span_.set_kind(kind);
  span.span_.set_start_time_unix_nano(nanos != 0 ? nanos : NowNanos());
  if (hidden_) span.Set("assay.hidden", true);
  return span;
}

void Tracer::Add(otlp::Span span) {
  if (hidden_) {
    otlp::KeyValue& pair = *span.add_attributes();
    pair.set_key("assay.hidden");
    pair.mutable_value()->set_bool_value(true);
  }
  // It counts like any other, whatever kind it says it is.
  Keep(std::move(span), true);
}

void Tracer::Ended(otlp::Span span) {
  // What the run itself is made of is always kept: its number is bounded by
  // the plan.
  const bool counted = span.kind() != otlp::Span::SPAN_KIND_INTERNAL;
  Keep(std::move(span), counted);
}

void Tracer::Keep(otlp::Span span, bool counted) {
  if (watch_) watch_(span);
  if (counted && ++kept_ > kQuota) {
    ++dropped_;
    return;
  }
  batch_bytes_ += span.ByteSizeLong();
  *batch_.mutable_spans()->add_spans() = std::move(span);
  if (batch_.spans().spans_size() >= kBatch || batch_bytes_ >= kBatchBytes) {
    Flush();
  }
}

void Tracer::Flush() {
  if (batch_.spans().spans_size() == 0 && dropped_ == 0) return;
  batch_bytes_ = 0;
  batch_.mutable_spans()->set_dropped(std::exchange(dropped_, 0));
  sink_.Emit(std::exchange(batch_, {}));
}

}  // namespace assay::telemetry
