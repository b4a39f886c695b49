#include "runner/wires/http_span.h"

#include <algorithm>

#include "runner/suite/utf8.h"

namespace assay::wires {
namespace {

using Place = telemetry::Correlation::Place;

constexpr std::size_t kHeadBytes = 4096;

bool IsCredential(std::string_view name) {
  for (const std::string_view known : {"authorization", "proxy-authorization",
                                       "cookie", "set-cookie", "x-api-key"}) {
    if (name == known) return true;
  }
  return false;
}

std::string_view FrameName(int opcode) {
  switch (opcode) {
    case 0:
      return "continuation";
    case 1:
      return "text";
    case 2:
      return "binary";
    case 8:
      return "close";
    case 9:
      return "ping";
    case 10:
      return "pong";
    default:
      return "unknown";
  }
}

// "/shop.Orders/Get" is method Get of service shop.Orders.
void DescribeGrpc(telemetry::Span& span, const HttpExchange& exchange) {
  const std::string_view path = exchange.path();
  const std::size_t slash = path.rfind('/');
  span.Set("rpc.system.name", "grpc");
  if (slash != std::string_view::npos && slash > 0) {
    span.Set("rpc.service", path.substr(1, slash - 1));
    span.Set("rpc.method", path.substr(slash + 1));
  }
  if (exchange.grpc_status.empty()) return;
  span.Set("rpc.response.status_code", exchange.grpc_status);
  if (exchange.grpc_status != "0") {
    span.Set("error.type", exchange.grpc_status);
    span.Fail("gRPC status " + exchange.grpc_status);
  }
}

void DescribeOutcome(telemetry::Span& span, const HttpExchange& exchange) {
  if (exchange.status != 0) {
    span.Set("http.response.status_code", exchange.status);
  }
  if (!exchange.problem.empty()) {
    span.Set("error.type", "connection_closed");
    span.Fail(exchange.problem);
  } else if (exchange.status >= 500) {
    span.Set("error.type", std::to_string(exchange.status));
    span.Fail("");
  }
}

void DescribeFrames(telemetry::Span& span, const HttpExchange& exchange) {
  for (const HttpExchange::Frame& frame : exchange.frames) {
    span.AddEvent(std::string(frame.from_client ? "sent " : "received ") +
                      std::string(FrameName(frame.opcode)) + ", " +
                      std::to_string(frame.bytes) + " bytes",
                  frame.nanos);
  }
  if (exchange.frames_seen > 0) {
    span.Set("assay.websocket.frames", exchange.frames_seen);
  }
}

}  // namespace

std::string ShowMessage(const HttpHeaders& headers,
                        const HttpExchange::Body& body) {
  std::string text;
  for (const auto& [name, value] : headers) {
    if (text.size() > kHeadBytes) break;
    text += name + ": " + (IsCredential(name) ? "[hidden]" : value) + "\n";
  }
  if (body.bytes == 0) return text;
  text += "\n";
  const std::size_t valid = suite::ValidUtf8Prefix(body.text);
  // A cut may go through a character.
  if (valid + 3 < body.text.size() ||
      body.text.find('\0') != std::string::npos) {
    return text + "(" + std::to_string(body.bytes) + " bytes, not text)";
  }
  text += body.text.substr(0, valid);
  const auto kept = static_cast<std::int64_t>(body.text.size());
  if (body.bytes > kept) {
    text += "\n(and " + std::to_string(body.bytes - kept) + " bytes more)";
  }
  return text;
}

void RecordExchange(telemetry::Tracer& tracer, std::string_view wire,
                    const HttpExchange& exchange, const Place& place) {
  telemetry::TraceContext parent = place.span;
  std::string_view correlation = place.kind == Place::Kind::kRequest ? "exact"
                                 : place.kind == Place::Kind::kIdle
                                     ? "idle"
                                     : "ambiguous";
  const auto named = telemetry::ParseTraceparent(exchange.traceparent);
  if (named && named->trace_id == tracer.trace_id()) {
    parent = *named;
    correlation = "traceparent";
  }
  const std::string path(exchange.path());
  telemetry::Span span = tracer.StartAs(
      exchange.span, exchange.method + " " + path.substr(0, 512), parent,
      assay::otlp::v1::Span::SPAN_KIND_CLIENT, exchange.begin.nanos);
  span.Set("http.request.method", exchange.method);
  span.Set("url.path", path);
  if (path.size() < exchange.target.size()) {
    span.Set("url.query",
             std::string_view(exchange.target).substr(path.size() + 1));
  }
  span.Set("network.protocol.version", exchange.version);
  span.Set("http.request.body.size", exchange.request_body.bytes);
  span.Set("http.response.body.size", exchange.response_body.bytes);
  span.Set("assay.source", "tap");
  span.Set("assay.wire", wire);
  span.Set("assay.correlation", correlation);
  if (exchange.first_byte_nanos > exchange.begin.nanos) {
    span.Set("assay.http.first_byte_us",
             static_cast<std::int64_t>(
                 (exchange.first_byte_nanos - exchange.begin.nanos) / 1000));
  }
  if (exchange.in_transaction) span.Set("assay.db.transaction_open", true);
  if (!exchange.upgraded.empty()) {
    span.Set("network.protocol.name", exchange.upgraded);
  }
  span.Set("assay.http.request",
           ShowMessage(exchange.request_headers, exchange.request_body));
  span.Set("assay.http.response",
           ShowMessage(exchange.response_headers, exchange.response_body));
  if (FindHeader(exchange.request_headers, "content-type")
          .starts_with("application/grpc")) {
    DescribeGrpc(span, exchange);
  }
  DescribeFrames(span, exchange);
  DescribeOutcome(span, exchange);
  span.EndAt(exchange.end_nanos);
}

}  // namespace assay::wires
