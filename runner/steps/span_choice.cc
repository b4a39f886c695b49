#include "runner/steps/span_choice.h"

#include <algorithm>

namespace assay::steps {

namespace otlp = assay::otlp::v1;
using assay::plan::v1::TraceStep;
using nlohmann::json;

namespace {

constexpr int kLevels = 100;

json ValueOf(const otlp::AnyValue& value) {
  switch (value.value_case()) {
    case otlp::AnyValue::kStringValue:
      return value.string_value();
    case otlp::AnyValue::kBoolValue:
      return value.bool_value();
    case otlp::AnyValue::kIntValue:
      return value.int_value();
    case otlp::AnyValue::kDoubleValue:
      return value.double_value();
    case otlp::AnyValue::kArrayValue: {
      json list = json::array();
      for (const auto& item : value.array_value().values()) {
        // One level is what instrumentations write.
        list.push_back(item.has_array_value() ? json() : ValueOf(item));
      }
      return list;
    }
    default:
      return nullptr;
  }
}

// OpenTelemetry renamed attributes; suites may use either name, and so may a
// service's instrumentation.
constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
    {"http.request.method", "http.method"},
    {"http.response.status_code", "http.status_code"},
    {"url.path", "http.target"},
    {"url.full", "http.url"},
    {"db.system.name", "db.system"},
    {"db.query.text", "db.statement"},
    {"db.namespace", "db.name"},
    {"db.operation.name", "db.operation"},
    {"server.address", "net.peer.name"},
    {"server.port", "net.peer.port"},
};

const otlp::AnyValue* Find(const otlp::Span& span, std::string_view key) {
  for (const auto& pair : span.attributes()) {
    if (pair.key() == key) return &pair.value();
  }
  return nullptr;
}

std::string_view KindName(otlp::Span::SpanKind kind) {
  switch (kind) {
    case otlp::Span::SPAN_KIND_SERVER:
      return "server";
    case otlp::Span::SPAN_KIND_CLIENT:
      return "client";
    case otlp::Span::SPAN_KIND_PRODUCER:
      return "producer";
    case otlp::Span::SPAN_KIND_CONSUMER:
      return "consumer";
    default:
      return "internal";
  }
}

}  // namespace

json AttributeOf(const otlp::Span& span, std::string_view key) {
  if (const auto* value = Find(span, key)) return ValueOf(*value);
  for (const auto& [now, before] : kRenamed) {
    if (key != now && key != before) continue;
    if (const auto* value = Find(span, key == now ? before : now)) {
      return ValueOf(*value);
    }
  }
  return nullptr;
}

SpanChoice::SpanChoice(const TraceStep& step, const Observations& seen,
                       assertions::Evaluator& evaluator)
    : step_(step), seen_(seen), evaluator_(evaluator) {
  for (const Span& span : seen.spans) by_id_.emplace(span.span_id(), &span);
}

template <class Holds>
bool SpanChoice::AnyAbove(const Span& span, Holds holds) const {
  const Span* at = &span;
  for (int level = 0; level < kLevels; ++level) {
    if (holds(at->parent_span_id())) return true;
    const auto above = by_id_.find(at->parent_span_id());
    if (above == by_id_.end()) return false;
    at = above->second;
  }
  return false;
}

bool SpanChoice::NameHolds(const Span& span) const {
  if (!step_.has_span_name()) return true;
  const auto& wanted = step_.span_name();
  if (!evaluator_.Text(wanted, "span", &span.name())) return true;
  const json text = AttributeOf(span, "db.query.text");
  if (!text.is_string()) return false;
  return !evaluator_.Text(wanted, "span", text.get_ptr<const std::string*>());
}

bool SpanChoice::IsMeant(const Span& span) const {
  const bool reported = AttributeOf(span, "assay.source") == "reported";
  if (step_.source() == "reported" && !reported) return false;
  if ((step_.source() == "tap" || step_.source().empty()) && reported) {
    return false;
  }
  if (!step_.kind().empty() && KindName(span.kind()) != step_.kind()) {
    return false;
  }
  if (!NameHolds(span)) return false;
  if (!step_.below().empty() && !AnyAbove(span, [&](const std::string& id) {
        const auto above = by_id_.find(id);
        return above != by_id_.end() && above->second->name() == step_.below();
      })) {
    return false;
  }
  return std::ranges::all_of(step_.attributes(), [&](const auto& wanted) {
    const json value = AttributeOf(span, wanted.name());
    return !evaluator_.Value(wanted.expectation(), wanted.name(),
                             value.is_null() ? nullptr : &value);
  });
}

std::vector<const SpanChoice::Span*> SpanChoice::InRun() const {
  std::vector<const Span*> chosen;
  for (const Span& span : seen_.spans) {
    if (IsMeant(span)) chosen.push_back(&span);
  }
  return chosen;
}

std::vector<const SpanChoice::Span*> SpanChoice::InCheck() const {
  std::vector<const Span*> chosen;
  for (std::size_t i = seen_.first_span; i < seen_.spans.size(); ++i) {
    if (IsMeant(seen_.spans[i])) chosen.push_back(&seen_.spans[i]);
  }
  return chosen;
}

std::vector<const SpanChoice::Span*> SpanChoice::Below(
    const std::string& span_id) const {
  std::vector<const Span*> chosen = InCheck();
  std::erase_if(chosen, [&](const Span* span) {
    return span->span_id() != span_id &&
           !AnyAbove(*span,
                     [&](const std::string& id) { return id == span_id; });
  });
  return chosen;
}

}  // namespace assay::steps
