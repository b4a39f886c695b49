#ifndef ASSAY_SERVICES_GATEWAY_HTTP_SERVER_H_
#define ASSAY_SERVICES_GATEWAY_HTTP_SERVER_H_

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "proto/base/error.h"
#include "services/gateway/http_exchange.h"

namespace boost::asio::ssl {
class context;
}

namespace assay::gateway {

struct HttpOptions {
  // "127.0.0.1:7080"; port 0 takes a free one.
  std::string address;
  // Sent with every answer.
  HeaderFields fields;
  // A head that is larger is refused with 431.
  std::uint32_t max_head_bytes = 16 << 10;
  // With as many, the one that has been idle longest makes room for the next;
  // while none is idle, the next is closed.
  std::size_t max_connections = 4'096;
  // Asked for each connection: the certificate may change. Absent: no TLS.
  std::function<std::shared_ptr<boost::asio::ssl::context>()> tls;
  // A handshake takes milliseconds. With as many under way, the one that has
  // taken longest makes room: of those that have said no whole hello yet, while
  // they are more than half, else of the others. Beginning one costs a client
  // nothing, and must not cost the others theirs.
  std::chrono::milliseconds handshake_timeout{10'000};
  std::size_t max_handshakes = 512;
  // For a whole head, for each wait within a body, and for each write.
  std::chrono::milliseconds io_timeout{30'000};
  // For a whole body.
  std::chrono::milliseconds body_timeout{20 * 60'000};
};

// The web port: HTTP/1.1 with keep-alive; each request goes to one handler.
// Requests whose end two parsers might see in two places (both
// Content-Length and Transfer-Encoding, a repeated Host, HTTP/1.0 with
// chunks) are refused before any handler sees them.
//
// Threads: confined to `strand`.
class HttpServer {
 public:
  // Takes the address: from here on clients can connect, and wait.
  // kUnavailable: it cannot be listened on.
  static Expected<std::unique_ptr<HttpServer>> Listen(
      boost::asio::any_io_executor strand, HttpOptions options);
  // Closes what is open.
  ~HttpServer();

  int port() const;
  // Starts to answer. Called once; `handler` must be good until Drain has
  // returned or this is destroyed.
  void Serve(HttpHandler handler);
  // Accepts no more, closes idle connections, and lets the others finish the
  // request that they are at. After `grace` the rest is closed; their handlers
  // have as long again to end. Returns as soon as none is left.
  boost::asio::awaitable<void> Drain(std::chrono::milliseconds grace);

 private:
  class State;
  explicit HttpServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_HTTP_SERVER_H_
