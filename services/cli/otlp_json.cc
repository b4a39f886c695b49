#include "services/cli/otlp_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace assay::cli {
namespace {

using nlohmann::ordered_json;
using Attributes = google::protobuf::RepeatedPtrField<otlp::v1::KeyValue>;

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

std::string Base64(std::string_view bytes) {
  static constexpr char kLetters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned block = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      block = block << 8 |
              (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k])
                                    : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kLetters[block >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

// JSON has no word for these; Protobuf's has, and so have its readers.
ordered_json DoubleOf(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

ordered_json ListOf(const Attributes& attributes);

ordered_json ValueOf(const otlp::v1::AnyValue& value) {
  using Value = otlp::v1::AnyValue;
  switch (value.value_case()) {
    case Value::kStringValue:
      return {{"stringValue", value.string_value()}};
    case Value::kBoolValue:
      return {{"boolValue", value.bool_value()}};
    case Value::kIntValue:
      return {{"intValue", std::to_string(value.int_value())}};
    case Value::kDoubleValue:
      return {{"doubleValue", DoubleOf(value.double_value())}};
    case Value::kBytesValue:
      return {{"bytesValue", Base64(value.bytes_value())}};
    case Value::kArrayValue: {
      ordered_json list = ordered_json::array();
      for (const auto& item : value.array_value().values()) {
        list.push_back(ValueOf(item));
      }
      return {{"arrayValue", {{"values", std::move(list)}}}};
    }
    case Value::kKvlistValue:
      return {
          {"kvlistValue", {{"values", ListOf(value.kvlist_value().values())}}}};
    case Value::VALUE_NOT_SET:
      break;
  }
  return ordered_json::object();
}

ordered_json ListOf(const Attributes& attributes) {
  ordered_json list = ordered_json::array();
  for (const auto& pair : attributes) {
    list.push_back({{"key", pair.key()}, {"value", ValueOf(pair.value())}});
  }
  return list;
}

ordered_json EventOf(const otlp::v1::Span::Event& event) {
  return {{"timeUnixNano", std::to_string(event.time_unix_nano())},
          {"name", event.name()},
          {"attributes", ListOf(event.attributes())}};
}

ordered_json LinkOf(const otlp::v1::Span::Link& link) {
  ordered_json json = {{"traceId", Hex(link.trace_id())},
                       {"spanId", Hex(link.span_id())},
                       {"attributes", ListOf(link.attributes())}};
  if (!link.trace_state().empty()) json["traceState"] = link.trace_state();
  return json;
}

ordered_json SpanOf(const otlp::v1::Span& span) {
  ordered_json json = {
      {"traceId", Hex(span.trace_id())},
      {"spanId", Hex(span.span_id())},
      {"parentSpanId", Hex(span.parent_span_id())},
      {"name", span.name()},
      {"kind", static_cast<int>(span.kind())},
      {"startTimeUnixNano", std::to_string(span.start_time_unix_nano())},
      {"endTimeUnixNano", std::to_string(span.end_time_unix_nano())},
      {"attributes", ListOf(span.attributes())}};
  if (!span.trace_state().empty()) json["traceState"] = span.trace_state();
  for (const auto& [name, count] :
       {std::pair{"droppedAttributesCount", span.dropped_attributes_count()},
        std::pair{"droppedEventsCount", span.dropped_events_count()},
        std::pair{"droppedLinksCount", span.dropped_links_count()}}) {
    if (count > 0) json[name] = count;
  }
  for (const auto& event : span.events()) {
    json["events"].push_back(EventOf(event));
  }
  for (const auto& link : span.links()) json["links"].push_back(LinkOf(link));
  ordered_json& status = json["status"] = ordered_json::object();
  if (span.has_status()) {
    status["code"] = static_cast<int>(span.status().code());
    if (!span.status().message().empty()) {
      status["message"] = span.status().message();
    }
  }
  return json;
}

// Collects spans, and begins a new piece when one is full.
class Pieces {
 public:
  explicit Pieces(std::size_t most) : most_(most) {}

  void Add(const otlp::v1::ResourceSpans& resource,
           const otlp::v1::ScopeSpans& scope, const otlp::v1::Span& span) {
    if (spans_ == most_) Finish();
    if (resource_ != &resource) {
      current_.push_back(
          {{"resource",
            {{"attributes", ListOf(resource.resource().attributes())}}},
           {"scopeSpans", ordered_json::array()}});
      resource_ = &resource;
      scope_ = nullptr;
    }
    ordered_json& scopes = current_.back()["scopeSpans"];
    if (scope_ != &scope) {
      scopes.push_back({{"scope",
                         {{"name", scope.scope().name()},
                          {"version", scope.scope().version()}}},
                        {"spans", ordered_json::array()}});
      scope_ = &scope;
    }
    scopes.back()["spans"].push_back(SpanOf(span));
    ++spans_;
  }

  std::vector<std::string> Take() {
    if (spans_ > 0 || done_.empty()) Finish();
    return std::move(done_);
  }

 private:
  void Finish() {
    const ordered_json all = {{"resourceSpans", std::move(current_)}};
    // Candidates' bytes were made UTF-8 on the way in; should some not be, the
    // rest of the trace is still worth having.
    done_.push_back(
        all.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    current_ = ordered_json::array();
    spans_ = 0;
    resource_ = nullptr;
    scope_ = nullptr;
  }

  const std::size_t most_;
  std::size_t spans_ = 0;
  const otlp::v1::ResourceSpans* resource_ = nullptr;
  const otlp::v1::ScopeSpans* scope_ = nullptr;
  ordered_json current_ = ordered_json::array();
  std::vector<std::string> done_;
};

}  // namespace

std::vector<std::string> OtlpJsonPieces(const v1::GetTraceResponse& trace,
                                        std::size_t most) {
  Pieces pieces(most);
  for (const auto& resource : trace.resource_spans()) {
    for (const auto& scope : resource.scope_spans()) {
      for (const auto& span : scope.spans()) pieces.Add(resource, scope, span);
    }
  }
  return pieces.Take();
}

std::string OtlpJson(const v1::GetTraceResponse& trace) {
  return OtlpJsonPieces(trace, static_cast<std::size_t>(-1)).front();
}

}  // namespace assay::cli
