// What a service answers: the first byte says how it is asked, the rest is sent
// as it is, and the connection closed. Whatever it is, there is a result, its
// body is within the limit, and time has not run out.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "runner/steps/http_client.h"
#include "runner/steps/stream_connection.h"
#include "runner/wires/dial.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using assay::steps::HttpClient;
using assay::steps::HttpRequest;
using assay::steps::HttpResult;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::int64_t kBody = 4096;
// Longer than any machine stands still; what hangs is ended by libFuzzer.
constexpr std::chrono::milliseconds kLimit{60000};

// Sends the answer once something was asked, and closes.
asio::awaitable<void> Serve(tcp::acceptor& acceptor, const std::string& answer,
                            bool& over) {
  while (!over) {
    auto [failed, socket] = co_await acceptor.async_accept(kTuple);
    if (failed || over) co_return;
    char request[4096];
    (void)co_await socket.async_read_some(asio::buffer(request), kTuple);
    (void)co_await asio::async_write(socket, asio::buffer(answer), kTuple);
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }
}

asio::awaitable<void> Ask(HttpClient& client, int how, bool& over,
                          tcp::acceptor& acceptor) {
  HttpRequest request{.method = (how & 1) != 0 ? "HEAD" : "GET",
                      .timeout = kLimit,
                      .body_limit = kBody};
  request.http2 = (how & 2) != 0;
  if ((how & 4) != 0) {
    request.headers.emplace_back("accept-encoding", "gzip, br, zstd, deflate");
  }
  if ((how & 8) != 0) {
    request.credentials = HttpRequest::Credentials{"user", "password", true};
  }
  const HttpResult result = co_await client.Perform(std::move(request));
  if (static_cast<std::int64_t>(result.answer.body.size()) > kBody) abort();
  if (result.kind == HttpResult::Kind::kTimedOut) abort();
  if (result.kind != HttpResult::Kind::kAnswered && result.problem.empty()) {
    abort();
  }
  over = true;
  acceptor.cancel();
}

asio::awaitable<void> Listen(assay::wires::HostNetwork& network,
                             std::uint16_t port, bool& over,
                             tcp::acceptor& acceptor) {
  auto socket = co_await assay::wires::Dial(network, port, kLimit);
  if (socket) {
    HttpRequest request{.body_limit = kBody};
    auto opened = co_await assay::steps::OpenEvents(
        *std::move(socket), std::move(request), "127.0.0.1",
        std::chrono::steady_clock::now() + kLimit);
    while (opened.connection != nullptr) {
      const auto received = co_await opened.connection->Next();
      if (received.text.size() > kBody) abort();
      if (received.kind != assay::steps::Received::Kind::kMessage) break;
    }
  }
  over = true;
  acceptor.cancel();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const int how = data[0];
  const std::string answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  const std::uint16_t port = acceptor.local_endpoint().port();
  assay::wires::HostNetwork network;
  bool over = false;
  {
    HttpClient client(io.get_executor(), network, port);
    asio::co_spawn(io, Serve(acceptor, answer, over), asio::detached);
    if ((how & 16) != 0) {
      asio::co_spawn(io, Listen(network, port, over, acceptor), asio::detached);
    } else {
      asio::co_spawn(io, Ask(client, how, over, acceptor), asio::detached);
    }
    while (!over) io.run_one();
  }
  io.run_for(std::chrono::milliseconds(1));
  return 0;
}
