#ifndef ASSAY_SERVICES_GATEWAY_HTTP_CONNECTION_H_
#define ASSAY_SERVICES_GATEWAY_HTTP_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "services/gateway/http_server.h"
#include "services/gateway/web_stream.h"

namespace assay::gateway {

// One client's connection: reads requests, hands each to the handler, closes.
//
// Ownership: borrows `options` and `handler`. Threads: confined to the strand.
class HttpConnection {
 public:
  HttpConnection(boost::asio::ip::tcp::socket socket,
                 const HttpOptions& options, const HttpHandler& handler);

  // The TLS handshake, where there is to be TLS; false when it failed.
  boost::asio::awaitable<bool> Greet();
  bool HasHello() { return stream_.HasHello(); }
  // Serves until the client leaves, breaks the protocol, or Drain.
  boost::asio::awaitable<void> Run();
  // Closes now if no request is being answered, else after it.
  void Drain();
  void Close();
  // Since when it has been waiting for the client's next request; absent while
  // one is being answered, and after Close.
  std::optional<std::chrono::steady_clock::time_point> idle_since() const;

 private:
  // Answers one request; false when the connection must be closed.
  boost::asio::awaitable<bool> ServeOne();
  boost::asio::awaitable<void> RefuseHead(int status, std::string reason);
  boost::asio::awaitable<void> RefusePlainText();
  // Lets the client read an answer that came before the end of its body.
  boost::asio::awaitable<void> Linger();

  WebStream stream_;
  boost::beast::flat_buffer buffer_;
  const HttpOptions& options_;
  const HttpHandler& handler_;
  std::string peer_;
  bool answering_ = false;
  bool closed_ = false;
  std::chrono::steady_clock::time_point waits_since_;
  bool draining_ = false;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_HTTP_CONNECTION_H_
