#include "services/cli/evidence.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "proto/base/digest.h"
#include "services/cli/curl_command.h"
#include "services/cli/span_attribute.h"

namespace assay::cli {
namespace {

using otlp::v1::Span;

bool IsRequest(const Span& span) {
  return !AttributeOf(span, "http.request.method").empty();
}

bool IsStatement(const Span& span) {
  return !AttributeOf(span, "db.query.text").empty();
}

bool IsReported(const Span& span) {
  return AttributeOf(span, "assay.source") == "reported";
}

std::uint64_t DurationOf(const Span& span) {
  const std::uint64_t start = span.start_time_unix_nano();
  return std::max(span.end_time_unix_nano(), start) - start;
}

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_';
}

// A statement without its values, so that repeats are seen as such.
std::string ShapeOf(std::string_view text) {
  std::string shape;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\'') {
      // Two quotes within a text are one of its characters.
      std::size_t end = i + 1;
      while (end < text.size() &&
             (text[end] != '\'' || text.substr(end, 2) == "''"))
        end += text[end] == '\'' ? 2 : 1;
      shape += '?';
      i = end + 1;
    } else if (c >= '0' && c <= '9' && (i == 0 || !IsWordByte(text[i - 1]))) {
      while (i < text.size() && (IsWordByte(text[i]) || text[i] == '.')) ++i;
      shape += '?';
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      if (!shape.ends_with(' ')) shape += ' ';
      ++i;
    } else {
      shape += c;
      ++i;
    }
  }
  return shape;
}

bool StartsBefore(const Span* a, const Span* b) {
  return std::pair(a->start_time_unix_nano(), std::string_view(a->span_id())) <
         std::pair(b->start_time_unix_nano(), std::string_view(b->span_id()));
}

// The same statements once, in the order of their first runs.
std::vector<EvidenceStatement> Grouped(std::vector<const Span*> spans) {
  std::ranges::sort(spans, StartsBefore);
  std::vector<EvidenceStatement> groups;
  std::map<std::string, std::size_t> places;
  for (const Span* span : spans) {
    const std::string text = AttributeOf(*span, "db.query.text");
    const auto [place, is_new] =
        places.try_emplace(ShapeOf(text), groups.size());
    if (is_new)
      groups.push_back(
          {.text = text,
           .rows = AttributeOf(*span, "db.response.returned_rows")});
    EvidenceStatement& group = groups[place->second];
    ++group.count;
    group.total_ns += DurationOf(*span);
  }
  return groups;
}

}  // namespace

EvidenceIndex::EvidenceIndex(const v1::GetTraceResponse& trace) {
  for (const auto& resource : trace.resource_spans())
    for (const auto& scope : resource.scope_spans())
      for (const Span& span : scope.spans()) spans_.push_back(&span);
  std::ranges::sort(spans_, [](const Span* a, const Span* b) {
    if (a->parent_span_id() != b->parent_span_id())
      return a->parent_span_id() < b->parent_span_id();
    return StartsBefore(a, b);
  });
}

EvidenceIndex::Spans EvidenceIndex::Below(const std::string& id) const {
  const auto found = std::ranges::equal_range(
      spans_, std::string_view(id), std::less<>(), [](const Span* span) {
        return std::string_view(span->parent_span_id());
      });
  return {found.begin(), found.end()};
}

EvidenceIndex::Spans EvidenceIndex::StatementsUnder(const Span* request) const {
  Spans statements;
  std::set<const Span*> seen = {request};
  std::deque<const Span*> open = {request};
  while (!open.empty()) {
    const std::string& parent = open.front()->span_id();
    open.pop_front();
    for (const Span* child : Below(parent)) {
      if (!seen.insert(child).second) continue;
      if (IsStatement(*child)) statements.push_back(child);
      open.push_back(child);
    }
  }
  return statements;
}

Exchange EvidenceIndex::ExchangeOf(const Span* request) const {
  return {.name = request->name(),
          .request = AttributeOf(*request, "assay.http.request"),
          .answer = AttributeOf(*request, "assay.http.response"),
          .status = AttributeOf(*request, "http.response.status_code"),
          .error = request->status().message(),
          .duration_ns = DurationOf(*request),
          .curl = CurlCommand(*request),
          .statements = Grouped(StatementsUnder(request))};
}

Evidence EvidenceIndex::Of(std::string_view span_id) const {
  const std::string id = FromHex(span_id);
  if (id.empty()) return {};
  const auto self = std::ranges::find(spans_, id, &Span::span_id);
  const Spans first =
      self != spans_.end() && IsRequest(**self) ? Spans{*self} : Below(id);
  Spans requests;
  Spans loose;
  std::set<const Span*> seen;
  std::deque<const Span*> open(first.begin(), first.end());
  while (!open.empty()) {
    const Span* span = open.front();
    open.pop_front();
    if (!seen.insert(span).second || IsReported(*span)) continue;
    if (IsRequest(*span)) {
      requests.push_back(span);
    } else if (IsStatement(*span)) {
      loose.push_back(span);
    } else {
      for (const Span* child : Below(span->span_id())) open.push_back(child);
    }
  }
  std::ranges::sort(requests, StartsBefore);
  Evidence evidence;
  for (const Span* request : requests)
    evidence.exchanges.push_back(ExchangeOf(request));
  evidence.statements = Grouped(std::move(loose));
  return evidence;
}

}  // namespace assay::cli
