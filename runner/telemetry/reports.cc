#include "runner/telemetry/reports.h"

#include <algorithm>
#include <utility>

#include "proto/base/digest.h"

namespace assay::telemetry {

namespace otlp = assay::otlp::v1;
using google::protobuf::RepeatedPtrField;

namespace {

constexpr int kAttributes = 64;
constexpr int kEvents = 32;
constexpr int kLinks = 16;
constexpr int kItems = 32;
constexpr std::size_t kTextBytes = 1024;
constexpr std::size_t kNameBytes = 256;

void Cut(std::string& text, std::size_t limit) {
  if (text.size() > limit) text.resize(limit);
}

std::string Show(const otlp::AnyValue& value) {
  switch (value.value_case()) {
    case otlp::AnyValue::kStringValue:
      return value.string_value().substr(0, kTextBytes);
    case otlp::AnyValue::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case otlp::AnyValue::kIntValue:
      return std::to_string(value.int_value());
    case otlp::AnyValue::kDoubleValue:
      return std::to_string(value.double_value());
    case otlp::AnyValue::VALUE_NOT_SET:
      return "";
    default:
      return value.ShortDebugString().substr(0, kTextBytes);
  }
}

// One level of values, cut; what is deeper is shown as text.
void CleanValue(otlp::AnyValue& value) {
  if (value.has_string_value()) {
    Cut(*value.mutable_string_value(), kTextBytes);
  } else if (value.has_bytes_value()) {
    Cut(*value.mutable_bytes_value(), kTextBytes);
  } else if (value.has_array_value()) {
    auto& items = *value.mutable_array_value()->mutable_values();
    while (items.size() > kItems) items.RemoveLast();
    for (otlp::AnyValue& item : items) {
      if (item.has_array_value() || item.has_kvlist_value()) {
        item.set_string_value(Show(item));
      } else {
        CleanValue(item);
      }
    }
  } else if (value.has_kvlist_value()) {
    value.set_string_value(Show(value));
  }
}

// How many were taken away.
std::uint32_t CleanAttributes(RepeatedPtrField<otlp::KeyValue>& attributes) {
  const int before = attributes.size();
  auto kept = std::remove_if(
      attributes.begin(), attributes.end(), [](const otlp::KeyValue& pair) {
        return pair.key().empty() || pair.key().starts_with("assay.") ||
               pair.key() == "service.name";
      });
  attributes.erase(kept, attributes.end());
  while (attributes.size() > kAttributes) attributes.RemoveLast();
  for (otlp::KeyValue& pair : attributes) {
    Cut(*pair.mutable_key(), kNameBytes);
    CleanValue(*pair.mutable_value());
  }
  return static_cast<std::uint32_t>(before - attributes.size());
}

// As OTLP has it: of that size, and not all zeros.
bool IsId(std::string_view id, std::size_t size) {
  return id.size() == size &&
         id.find_first_not_of('\0') != std::string_view::npos;
}

void Add(otlp::Span& span, std::string_view key, std::string_view value) {
  otlp::KeyValue& pair = *span.add_attributes();
  pair.set_key(std::string(key));
  pair.mutable_value()->set_string_value(std::string(value));
}

}  // namespace

Reports::Reports(Tracer& tracer, Limits limits)
    : tracer_(tracer), limits_(limits) {}

Reports::Taken Reports::Take(OtlpSignal signal, std::string_view service,
                             std::string_view body, OtlpFormat format,
                             bool gzip, std::string& problem) {
  const auto decode = [&](google::protobuf::Message& out) {
    const Status decoded = DecodeExport(body, format, gzip, out);
    if (!decoded) problem = decoded.error().message;
    return decoded.has_value();
  };
  Taken taken = Taken::kBad;
  if (signal == OtlpSignal::kTraces) {
    otlp::TraceExport exported;
    if (decode(exported)) taken = TakeSpans(std::move(exported), service);
  } else if (signal == OtlpSignal::kLogs) {
    otlp::LogsExport exported;
    if (decode(exported)) taken = TakeLogs(exported);
  } else {
    otlp::MetricsExport exported;
    if (decode(exported)) taken = TakeMetrics(exported);
  }
  if (taken == Taken::kOverQuota) problem = "this run's quota is used up";
  if (news_) news_();
  return taken;
}

bool Reports::Clean(otlp::Span& span, std::string_view service) {
  if (!IsId(span.trace_id(), 16) || !IsId(span.span_id(), 8) ||
      (!span.parent_span_id().empty() && span.parent_span_id().size() != 8)) {
    return false;
  }
  Cut(*span.mutable_name(), kNameBytes);
  Cut(*span.mutable_trace_state(), kNameBytes);
  Cut(*span.mutable_status()->mutable_message(), kTextBytes);
  span.set_dropped_attributes_count(
      span.dropped_attributes_count() +
      CleanAttributes(*span.mutable_attributes()));
  while (span.events_size() > kEvents) span.mutable_events()->RemoveLast();
  for (otlp::Span::Event& event : *span.mutable_events()) {
    Cut(*event.mutable_name(), kNameBytes);
    CleanAttributes(*event.mutable_attributes());
  }
  // One that leads nowhere would keep others' tools from opening the trace.
  const int links = span.links_size();
  auto& kept = *span.mutable_links();
  kept.erase(std::remove_if(kept.begin(), kept.end(),
                            [](const otlp::Span::Link& link) {
                              return !IsId(link.trace_id(), 16) ||
                                     !IsId(link.span_id(), 8);
                            }),
             kept.end());
  while (span.links_size() > kLinks) span.mutable_links()->RemoveLast();
  span.set_dropped_links_count(
      span.dropped_links_count() +
      static_cast<std::uint32_t>(links - span.links_size()));
  for (otlp::Span::Link& link : *span.mutable_links()) {
    Cut(*link.mutable_trace_state(), kNameBytes);
    CleanAttributes(*link.mutable_attributes());
  }
  if (span.end_time_unix_nano() < span.start_time_unix_nano()) {
    span.set_end_time_unix_nano(span.start_time_unix_nano());
  }
  Add(span, "assay.source", "reported");
  Add(span, "service.name", service);
  // Of another trace, or of none that it was told of: here it is seen in ours.
  if (span.trace_id() != tracer_.trace_id()) {
    Add(span, "assay.reported.trace_id", ToHex(span.trace_id()));
    span.set_trace_id(tracer_.trace_id());
  }
  return true;
}

Reports::Taken Reports::TakeSpans(otlp::TraceExport exported,
                                  std::string_view service) {
  Taken taken = Taken::kAll;
  for (otlp::ResourceSpans& resource : *exported.mutable_resource_spans()) {
    for (otlp::ScopeSpans& scope : *resource.mutable_scope_spans()) {
      for (otlp::Span& span : *scope.mutable_spans()) {
        if (spans_ >= limits_.spans) {
          taken = Taken::kOverQuota;
          ++dropped_;
          continue;
        }
        if (!Clean(span, service)) {
          ++dropped_;
          continue;
        }
        ++spans_;
        for (const otlp::KeyValue& pair : span.attributes()) {
          if (span_attributes_.size() >= limits_.text_bytes) break;
          span_attributes_ += pair.key() + "=" + Show(pair.value()) + "\n";
        }
        tracer_.Add(std::move(span));
      }
    }
  }
  return taken;
}

Reports::Taken Reports::TakeLogs(const otlp::LogsExport& exported) {
  for (const otlp::ResourceLogs& resource : exported.resource_logs()) {
    for (const otlp::ScopeLogs& scope : resource.scope_logs()) {
      for (const otlp::LogRecord& record : scope.log_records()) {
        if (logs_.size() >= limits_.text_bytes) return Taken::kOverQuota;
        std::string line = record.severity_text().substr(0, 16);
        if (!line.empty()) line += " ";
        line += Show(record.body());
        for (int i = 0; i < std::min(record.attributes_size(), kAttributes);
             ++i) {
          line += " " + record.attributes(i).key().substr(0, kNameBytes) + "=" +
                  Show(record.attributes(i).value());
        }
        line += "\n";
        logs_ += line;
        if (log_sink_) log_sink_(line);
      }
    }
  }
  return Taken::kAll;
}

void Reports::Keep(const std::string& metric,
                   const RepeatedPtrField<otlp::KeyValue>& attributes,
                   double value) {
  Labels labels;
  for (int i = 0; i < std::min(attributes.size(), kAttributes); ++i) {
    labels[attributes[i].key().substr(0, kNameBytes)] =
        Show(attributes[i].value());
  }
  auto& series = metrics_[metric.substr(0, kNameBytes)];
  const auto it = series.find(labels);
  if (it != series.end()) {
    it->second = value;
  } else if (series_ < kSeries) {
    ++series_;
    series.emplace(std::move(labels), value);
  } else {
    ++dropped_;
  }
}

Reports::Taken Reports::TakeMetrics(const otlp::MetricsExport& exported) {
  const auto points = [&](const std::string& name, const auto& data) {
    for (const auto& point : data.data_points()) {
      Keep(name, point.attributes(), static_cast<double>(point.count()));
    }
  };
  for (const otlp::ResourceMetrics& resource : exported.resource_metrics()) {
    for (const otlp::ScopeMetrics& scope : resource.scope_metrics()) {
      for (const otlp::Metric& metric : scope.metrics()) {
        for (const auto* data : {&metric.gauge(), &metric.sum()}) {
          for (const auto& point : data->data_points()) {
            Keep(metric.name(), point.attributes(),
                 point.has_as_int() ? static_cast<double>(point.as_int())
                                    : point.as_double());
          }
        }
        points(metric.name(), metric.histogram());
        points(metric.name(), metric.exponential_histogram());
        points(metric.name(), metric.summary());
      }
    }
  }
  return series_ < kSeries ? Taken::kAll : Taken::kOverQuota;
}

Reports::Sum Reports::Find(const std::string& metric,
                           const Labels& labels) const {
  Sum sum;
  const auto found = metrics_.find(metric);
  if (found == metrics_.end()) return sum;
  for (const auto& [series, value] : found->second) {
    const bool matches = std::ranges::all_of(labels, [&](const auto& label) {
      const auto it = series.find(label.first);
      return it != series.end() && it->second == label.second;
    });
    if (!matches) continue;
    sum.value += value;
    ++sum.series;
  }
  return sum;
}

}  // namespace assay::telemetry
