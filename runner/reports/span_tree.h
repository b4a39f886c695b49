#ifndef ASSAY_RUNNER_REPORTS_SPAN_TREE_H_
#define ASSAY_RUNNER_REPORTS_SPAN_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/otlp/v1/trace.pb.h"

namespace assay::reports {

// A span in the order in which a reader meets it: parents before their
// children, siblings by their start.
struct SpanRow {
  const otlp::v1::Span* span = nullptr;
  // Who made it: "assay", the service, a sidecar.
  std::string service;
  int depth = 0;
  // Microseconds since the start of the trace.
  std::int64_t start = 0;
  std::int64_t duration = 0;
};

// Borrows the spans. Spans whose parent is missing are roots; a cycle is cut.
// At most `max` rows; `dropped` counts the others.
std::vector<SpanRow> SpanRows(const std::vector<otlp::v1::ResourceSpans>& spans,
                              std::size_t max, std::size_t* dropped = nullptr);

}  // namespace assay::reports

#endif  // ASSAY_RUNNER_REPORTS_SPAN_TREE_H_
