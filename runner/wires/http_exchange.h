#ifndef ASSAY_RUNNER_WIRES_HTTP_EXCHANGE_H_
#define ASSAY_RUNNER_WIRES_HTTP_EXCHANGE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runner/telemetry/trace_context.h"
#include "runner/wires/http1_reader.h"
#include "runner/wires/moment.h"

namespace assay::wires {

// One request and its answer, as they were seen on the wire.
struct HttpExchange {
  // Of bodies; more is counted and not kept.
  static constexpr std::size_t kBodyBytes = 4096;
  static constexpr std::size_t kFrames = 64;

  struct Body {
    // The beginning.
    std::string text;
    std::int64_t bytes = 0;

    void Add(std::string_view piece) {
      bytes += static_cast<std::int64_t>(piece.size());
      if (text.size() < kBodyBytes) {
        text += piece.substr(0, kBodyBytes - text.size());
      }
    }
  };
  // Of a WebSocket.
  struct Frame {
    std::uint64_t nanos = 0;
    bool from_client = false;
    int opcode = 0;
    std::uint64_t bytes = 0;
  };

  // "1.1" or "2".
  std::string version = "1.1";
  std::string method;
  std::string target;
  HttpHeaders request_headers;
  HttpHeaders response_headers;
  Body request_body;
  Body response_body;
  // 0: no answer.
  int status = 0;
  // Of gRPC, from the trailers; empty: not said.
  std::string grpc_status;
  Moment begin;
  std::uint64_t first_byte_nanos = 0;
  std::uint64_t end_nanos = 0;
  // The span that this request is: its id is what was added to it, or would
  // have been.
  telemetry::TraceContext span;
  // As the client sent it; empty: it was added.
  std::string traceparent;
  // What the listener wants to be reminded of.
  std::uint64_t number = 0;
  // Whoever made the request held a database transaction open meanwhile: told
  // as `assay.db.transaction_open`.
  bool in_transaction = false;
  // "websocket", "h2c": the connection speaks something else from here on.
  std::string upgraded;
  std::vector<Frame> frames;
  std::int64_t frames_seen = 0;
  // Why there is no whole answer; empty: there is one.
  std::string problem;

  // "/orders" of "/orders?page=2".
  std::string_view path() const {
    return std::string_view(target).substr(0, target.find('?'));
  }
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP_EXCHANGE_H_
