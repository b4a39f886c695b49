#include "services/gateway/http_connection.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "services/gateway/beast_exchange.h"

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

// How much of a refused body is read away, and for how long.
constexpr std::size_t kMaxLinger = 1 << 20;
constexpr std::chrono::seconds kLingerTime{2};
// The command line knows this answer.
constexpr std::string_view kSpeaksTls =
    "this port speaks TLS: write https:// instead of http://";

std::string PeerOf(const tcp::socket& socket) {
  beast::error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  return error ? "unknown" : peer.address().to_string(error);
}

// An answer to what no exchange was made for.
std::string Refusal(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Refused\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "X-Content-Type-Options: nosniff\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

int StatusOfHeadError(const beast::error_code& error) {
  return error == http::error::header_limit ? 431 : 400;
}

}  // namespace

HttpConnection::HttpConnection(tcp::socket socket, const HttpOptions& options,
                               const HttpHandler& handler)
    : stream_(std::move(socket), options.tls ? options.tls() : nullptr),
      buffer_(64 << 10),
      options_(options),
      handler_(handler),
      peer_(PeerOf(stream_.socket())),
      waits_since_(std::chrono::steady_clock::now()) {
  beast::error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
}

asio::awaitable<bool> HttpConnection::Greet() {
  const WebStream::Greeting greeting =
      co_await stream_.Greet(options_.handshake_timeout);
  if (greeting == WebStream::Greeting::kGood) co_return true;
  if (greeting == WebStream::Greeting::kPlainText) co_await RefusePlainText();
  Close();
  co_return false;
}

asio::awaitable<void> HttpConnection::Run() {
  while (!draining_ && co_await ServeOne()) {
  }
  co_await stream_.Shutdown(kLingerTime);
  Close();
}

std::optional<std::chrono::steady_clock::time_point>
HttpConnection::idle_since() const {
  if (answering_ || closed_) return std::nullopt;
  return waits_since_;
}

void HttpConnection::Drain() {
  draining_ = true;
  if (!answering_) Close();
}

void HttpConnection::Close() {
  closed_ = true;
  stream_.close();
}

asio::awaitable<bool> HttpConnection::ServeOne() {
  RequestParser parser;
  parser.header_limit(options_.max_head_bytes);
  // Handlers have limits of their own, by what is asked and by whom.
  parser.body_limit(boost::none);
  stream_.expires_after(options_.io_timeout);
  beast::error_code error;
  co_await http::async_read_header(
      stream_, buffer_, parser,
      asio::redirect_error(asio::use_awaitable, error));
  const bool nothing_came = !parser.got_some();
  if (error) {
    // After a timeout Beast has closed the socket already.
    if (!nothing_came && stream_.socket().is_open())
      co_await RefuseHead(StatusOfHeadError(error), error.message());
    co_return false;
  }
  Expected<HttpRequest> request = HeadOf(parser, peer_);
  if (!request) {
    co_await RefuseHead(400, request.error().message);
    co_return false;
  }
  BeastExchange exchange(stream_, buffer_, parser, *std::move(request),
                         options_, parser.keep_alive() && !draining_);
  answering_ = true;
  co_await handler_(exchange);
  answering_ = false;
  waits_since_ = std::chrono::steady_clock::now();
  if (!exchange.answered())
    static_cast<void>(co_await exchange.Respond({.status = 500}));
  if (exchange.body_unread()) co_await Linger();
  co_return exchange.reusable();
}

asio::awaitable<void> HttpConnection::RefuseHead(int status,
                                                 std::string reason) {
  const std::string bytes = Refusal(status, "bad request: " + reason + "\n");
  stream_.expires_after(kLingerTime);
  beast::error_code error;
  co_await asio::async_write(stream_, asio::buffer(bytes),
                             asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_await Linger();
}

asio::awaitable<void> HttpConnection::RefusePlainText() {
  const std::string bytes = Refusal(400, std::string(kSpeaksTls) + "\n");
  beast::error_code error;
  co_await asio::async_write(stream_.tcp(), asio::buffer(bytes),
                             asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_await Linger();
}

// Below TLS, if there is any: what comes is not looked at.
asio::awaitable<void> HttpConnection::Linger() {
  beast::error_code error;
  stream_.socket().shutdown(tcp::socket::shutdown_send, error);
  stream_.expires_after(kLingerTime);
  std::vector<char> sink(16 << 10);
  for (std::size_t total = 0; total < kMaxLinger && !error;)
    total += co_await stream_.tcp().async_read_some(
        asio::buffer(sink), asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace assay::gateway
