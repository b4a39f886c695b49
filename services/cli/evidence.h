#ifndef ASSAY_SERVICES_CLI_EVIDENCE_H_
#define ASSAY_SERVICES_CLI_EVIDENCE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "assay/v1/trace_service.pb.h"

namespace assay::cli {

// A statement and its repeats with other values. Text as it was recorded, as
// in everything below: not yet printable.
struct EvidenceStatement {
  std::string text;
  int count = 0;
  // How many rows the first one answered with; empty: not known.
  std::string rows;
  std::uint64_t total_ns = 0;
};

// A request with its answer.
struct Exchange {
  // "POST /orders".
  std::string name;
  // Header lines, an empty line, the beginning of the body.
  std::string request;
  std::string answer;
  // "201"; empty: it was not answered.
  std::string status;
  // Why it failed; else empty.
  std::string error;
  std::uint64_t duration_ns = 0;
  // Repeats it; see CurlCommand.
  std::string curl;
  // That were run for it, in the order of their first runs.
  std::vector<EvidenceStatement> statements;
};

// What was seen of one step.
struct Evidence {
  std::vector<Exchange> exchanges;
  // Below no request.
  std::vector<EvidenceStatement> statements;

  bool empty() const { return exchanges.empty() && statements.empty(); }
};

// The spans of a run by their places, so that one trace answers for each of
// its steps.
//
// Ownership: borrows the trace.
class EvidenceIndex {
 public:
  explicit EvidenceIndex(const v1::GetTraceResponse& trace);

  // Of the step whose span is `span_id`, 16 hex digits. What candidates report
  // of themselves is no evidence, and is left out.
  Evidence Of(std::string_view span_id) const;

 private:
  using Spans = std::vector<const otlp::v1::Span*>;

  // All three without recursion: candidates' spans can nest as deep as they
  // like, and their parents can form rings.
  Spans Below(const std::string& id) const;
  Spans StatementsUnder(const otlp::v1::Span* request) const;
  Exchange ExchangeOf(const otlp::v1::Span* request) const;

  // By parent, and in the order of their start within one.
  Spans spans_;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_EVIDENCE_H_
