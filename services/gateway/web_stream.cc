#include "services/gateway/web_stream.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

// A TLS record that begins a handshake.
constexpr char kHandshakeRecord = 0x16;

}  // namespace

WebStream::WebStream(tcp::socket socket,
                     std::shared_ptr<asio::ssl::context> tls)
    : tcp_(std::move(socket)) {
  if (tls) tls_.emplace(tcp_, *tls);
}

asio::awaitable<WebStream::Greeting> WebStream::Greet(
    std::chrono::milliseconds limit) {
  if (!tls_) co_return Greeting::kGood;
  tcp_.expires_after(limit);
  std::array<char, 1'024> first;
  beast::error_code error;
  const std::size_t size = co_await tcp_.async_read_some(
      asio::buffer(first), asio::redirect_error(asio::use_awaitable, error));
  if (error || size == 0) co_return Greeting::kFailed;
  if (first[0] != kHandshakeRecord) co_return Greeting::kPlainText;
  co_await tls_->async_handshake(
      asio::ssl::stream_base::server, asio::buffer(first.data(), size),
      asio::redirect_error(asio::use_awaitable, error));
  co_return error ? Greeting::kFailed : Greeting::kGood;
}

bool WebStream::HasHello() {
  if (!tls_) return true;
  const OSSL_HANDSHAKE_STATE state = SSL_get_state(tls_->native_handle());
  return state != TLS_ST_BEFORE && state != TLS_ST_SR_CLNT_HELLO;
}

asio::awaitable<void> WebStream::Shutdown(std::chrono::milliseconds limit) {
  beast::error_code ignored;
  if (tls_ && tcp_.socket().is_open()) {
    tcp_.expires_after(limit);
    co_await tls_->async_shutdown(
        asio::redirect_error(asio::use_awaitable, ignored));
  }
  tcp_.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

asio::awaitable<void> WebStream::WaitForClose(beast::flat_buffer& ahead) {
  if (!tls_) co_return co_await WaitForPlainClose();
  // An end is visible within TLS only: what comes before it is read, too.
  constexpr std::size_t kStep = 4'096;
  tcp_.expires_never();
  beast::error_code error;
  while (!error && ahead.size() + kStep <= ahead.max_size()) {
    const std::size_t size = co_await tls_->async_read_some(
        ahead.prepare(kStep), asio::redirect_error(asio::use_awaitable, error));
    ahead.commit(size);
  }
  if (error) co_return;
  // Full: a failing write will have to tell.
  co_await tcp_.socket().async_wait(
      tcp::socket::wait_error,
      asio::redirect_error(asio::use_awaitable, error));
}

asio::awaitable<void> WebStream::WaitForPlainClose() {
  auto& socket = tcp_.socket();
  for (;;) {
    beast::error_code error;
    co_await socket.async_wait(
        tcp::socket::wait_read,
        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    char byte;
    const ssize_t count =
        ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
      co_return;
    if (count > 0) {
      // The next request is here already, and hides the end behind it: a
      // failing write will have to tell.
      co_await socket.async_wait(
          tcp::socket::wait_error,
          asio::redirect_error(asio::use_awaitable, error));
      co_return;
    }
  }
}

}  // namespace assay::gateway
