#include "runner/wires/http1_server.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

namespace assay::wires {

namespace asio = boost::asio;
using Result = Http1Reader::Result;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

std::string Write(const ServedReply& reply, bool head) {
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " Assay\r\n";
  for (const auto& [name, value] : reply.headers) {
    out += name + ": " + value + "\r\n";
  }
  if (reply.status == 204 || reply.status == 304) return out + "\r\n";
  out += "content-length: " + std::to_string(reply.body.size()) + "\r\n\r\n";
  return head ? out : out + reply.body;
}

}  // namespace

asio::awaitable<void> ServeHttp1(
    asio::ip::tcp::socket socket, std::size_t body_limit,
    std::function<ServedReply(const ServedRequest&)> answer) {
  Http1Reader reader;
  ServedRequest request;
  std::array<char, 16'384> buffer;
  while (true) {
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(buffer), kTuple);
    if (error) co_return;
    std::string_view bytes(buffer.data(), size);
    std::string_view piece;
    while (true) {
      const Result result = reader.Next(bytes, piece);
      if (result == Result::kNeedMore) break;
      if (result == Result::kNotTheProtocol) co_return;
      if (result == Result::kHead) {
        request = {reader.head(), {}, false};
        const Http1Framing framing = FramingOf(request.head.headers);
        if (!framing.problem.empty()) co_return;
        reader.SetBody(framing.body, framing.length);
        // A client that asks first waits for this before it sends a body.
        if (!FindHeader(request.head.headers, "expect").empty()) {
          constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
          co_await asio::async_write(socket, asio::buffer(kGoOn), kTuple);
        }
      } else if (result == Result::kBody) {
        const std::size_t room =
            body_limit - std::min(body_limit, request.body.size());
        request.body += piece.substr(0, room);
        request.body_too_large |= piece.size() > room;
      } else {
        const ServedReply reply = answer(request);
        if (reply.delay.count() > 0) {
          asio::steady_timer timer(socket.get_executor(), reply.delay);
          co_await timer.async_wait(kTuple);
        }
        const std::string text = Write(reply, request.head.first == "HEAD");
        const auto [failed, written] =
            co_await asio::async_write(socket, asio::buffer(text), kTuple);
        if (failed) co_return;
      }
    }
  }
}

}  // namespace assay::wires
