#ifndef ASSAY_SERVICES_GATEWAY_WEB_STREAM_H_
#define ASSAY_SERVICES_GATEWAY_WEB_STREAM_H_

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace assay::gateway {

// A client's connection to the web port: TCP, or TLS over it. A plain one pays
// a branch for each read and write, and nothing else.
//
// Threads: confined to the strand.
class WebStream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // Without `tls`, a plain connection.
  WebStream(boost::asio::ip::tcp::socket socket,
            std::shared_ptr<boost::asio::ssl::context> tls);

  // What the client's first bytes turned out to be.
  enum class Greeting { kGood, kPlainText, kFailed };
  // Makes the connection ready; to be called first. kPlainText: it is to be
  // TLS, and the client does not know.
  boost::asio::awaitable<Greeting> Greet(std::chrono::milliseconds limit);
  // Whether the client has said a whole hello; true without TLS.
  bool HasHello();
  // Says goodbye, as TLS wants it.
  boost::asio::awaitable<void> Shutdown(std::chrono::milliseconds limit);
  // Suspends until the client has closed. What it sends meanwhile is kept in
  // `ahead`, from which the next request is read.
  boost::asio::awaitable<void> WaitForClose(boost::beast::flat_buffer& ahead);

  executor_type get_executor() { return tcp_.get_executor(); }
  boost::beast::tcp_stream& tcp() { return tcp_; }
  boost::asio::ip::tcp::socket& socket() { return tcp_.socket(); }
  template <class Duration>
  void expires_after(Duration limit) {
    tcp_.expires_after(limit);
  }
  void close() { tcp_.close(); }

  // What Asio and Beast read from and write to.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [this](auto handler, const Buffers& into) {
          if (tls_)
            tls_->async_read_some(into, std::move(handler));
          else
            tcp_.async_read_some(into, std::move(handler));
        },
        token, buffers);
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, Signature>(
        [this](auto handler, const Buffers& from) {
          if (tls_)
            tls_->async_write_some(from, std::move(handler));
          else
            tcp_.async_write_some(from, std::move(handler));
        },
        token, buffers);
  }

 private:
  using Signature = void(boost::system::error_code, std::size_t);
  boost::asio::awaitable<void> WaitForPlainClose();

  boost::beast::tcp_stream tcp_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_WEB_STREAM_H_
