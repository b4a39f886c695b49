#ifndef ASSAY_RUNNER_WIRES_HTTP_SPAN_H_
#define ASSAY_RUNNER_WIRES_HTTP_SPAN_H_

#include <string>
#include <string_view>

#include "runner/telemetry/correlation.h"
#include "runner/telemetry/tracer.h"
#include "runner/wires/http_exchange.h"

namespace assay::wires {

// Records an exchange as a finished span below `place`, or below the span that
// its own `traceparent` names, with OpenTelemetry's HTTP attributes and ours:
// `assay.source` (tap), `assay.wire`, `assay.correlation` (traceparent, exact,
// idle, ambiguous), and the evidence `assay.http.request`,
// `assay.http.response`. Frames of a WebSocket become events.
void RecordExchange(telemetry::Tracer& tracer, std::string_view wire,
                    const HttpExchange& exchange,
                    const telemetry::Correlation::Place& place);

// Headers and the beginning of a body, as evidence: credentials left out, and
// bytes that are no text counted only.
std::string ShowMessage(const HttpHeaders& headers,
                        const HttpExchange::Body& body);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP_SPAN_H_
