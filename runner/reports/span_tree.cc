#include "runner/reports/span_tree.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace assay::reports {
namespace {

using otlp::v1::Span;

std::string ServiceOf(const otlp::v1::ResourceSpans& resource) {
  for (const auto& attribute : resource.resource().attributes()) {
    if (attribute.key() == "service.name") {
      return attribute.value().string_value();
    }
  }
  return "";
}

struct Entry {
  const Span* span;
  std::string service;
  std::vector<std::size_t> children;
  bool shown = false;
};

std::int64_t Micros(std::uint64_t from, std::uint64_t to) {
  return to <= from ? 0 : static_cast<std::int64_t>((to - from) / 1000);
}

}  // namespace

std::vector<SpanRow> SpanRows(const std::vector<otlp::v1::ResourceSpans>& spans,
                              std::size_t max, std::size_t* dropped) {
  std::vector<Entry> entries;
  std::unordered_map<std::string, std::size_t> by_id;
  std::uint64_t first = UINT64_MAX;
  for (const auto& resource : spans) {
    const std::string service = ServiceOf(resource);
    for (const auto& scope : resource.scope_spans()) {
      for (const Span& span : scope.spans()) {
        by_id.emplace(span.span_id(), entries.size());
        entries.push_back({&span, service, {}, false});
        first = std::min(first, span.start_time_unix_nano());
      }
    }
  }
  std::vector<std::size_t> roots;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto parent = by_id.find(entries[i].span->parent_span_id());
    if (entries[i].span->parent_span_id().empty() || parent == by_id.end() ||
        parent->second == i) {
      roots.push_back(i);
    } else {
      entries[parent->second].children.push_back(i);
    }
  }
  const auto by_start = [&](std::size_t a, std::size_t b) {
    return entries[a].span->start_time_unix_nano() <
           entries[b].span->start_time_unix_nano();
  };
  std::sort(roots.begin(), roots.end(), by_start);

  std::vector<SpanRow> rows;
  // Not by recursion: a candidate may report a chain of any length.
  std::vector<std::pair<std::size_t, int>> stack;
  for (auto it = roots.rbegin(); it != roots.rend(); ++it) {
    stack.emplace_back(*it, 0);
  }
  while (!stack.empty() && rows.size() < max) {
    const auto [index, depth] = stack.back();
    stack.pop_back();
    Entry& entry = entries[index];
    if (std::exchange(entry.shown, true)) continue;
    const Span& span = *entry.span;
    rows.push_back(
        {&span, entry.service, depth,
         Micros(first, span.start_time_unix_nano()),
         Micros(span.start_time_unix_nano(), span.end_time_unix_nano())});
    std::sort(entry.children.begin(), entry.children.end(), by_start);
    for (auto it = entry.children.rbegin(); it != entry.children.rend(); ++it) {
      stack.emplace_back(*it, depth + 1);
    }
  }
  if (dropped != nullptr) *dropped = entries.size() - rows.size();
  return rows;
}

}  // namespace assay::reports
