#ifndef ASSAY_RUNNER_TELEMETRY_TRACE_CONTEXT_H_
#define ASSAY_RUNNER_TELEMETRY_TRACE_CONTEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::telemetry {

// A span's place in its trace: 16 and 8 bytes, as OTLP carries them. An empty
// `span_id` is the trace itself.
struct TraceContext {
  std::string trace_id;
  std::string span_id;

  bool operator==(const TraceContext&) const = default;
};

// Reads a W3C `traceparent`; nothing where it is malformed or all zero.
std::optional<TraceContext> ParseTraceparent(std::string_view header);
// "00-{trace}-{span}-01".
std::string FormatTraceparent(const TraceContext& context);

// `bytes` of the kernel's randomness, never all zero.
std::string RandomBytes(std::size_t bytes);

// Nanoseconds since the Unix epoch: the time of spans.
std::uint64_t NowNanos();

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_TRACE_CONTEXT_H_
