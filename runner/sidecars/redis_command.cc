#include "runner/sidecars/redis_command.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <utility>

#include "runner/wires/dial.h"

namespace assay::sidecars {

namespace asio = boost::asio;

namespace {
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kLongestAnswer = 4096;
}  // namespace

asio::awaitable<Status> RunRedisCommand(
    wires::Network& network, std::uint16_t port, std::string command,
    std::chrono::steady_clock::time_point deadline) {
  auto dialled = co_await wires::Dial(
      network, port,
      std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now()));
  if (!dialled) co_return std::unexpected(std::move(dialled).error());
  const auto socket =
      std::make_shared<asio::ip::tcp::socket>(*std::move(dialled));
  asio::steady_timer timer(socket->get_executor(), deadline);
  timer.async_wait([socket](const boost::system::error_code& cancelled) {
    boost::system::error_code ignored;
    if (!cancelled) socket->close(ignored);
  });

  const std::string line = command + "\r\n";
  const auto [unsent, sent] =
      co_await asio::async_write(*socket, asio::buffer(line), kTuple);
  if (unsent) co_return Unavailable("write to Redis: ", unsent.message());
  std::string answer;
  while (answer.find("\r\n") == std::string::npos) {
    std::array<char, 256> chunk;
    const auto [error, size] =
        co_await socket->async_read_some(asio::buffer(chunk), kTuple);
    if (error || answer.size() > kLongestAnswer) {
      co_return Unavailable("no answer from Redis to ", command);
    }
    answer.append(chunk.data(), size);
  }
  if (answer[0] != '+') {
    co_return Internal("Redis refused ", command, ": ",
                       answer.substr(0, answer.find("\r\n")));
  }
  co_return Status{};
}

}  // namespace assay::sidecars
