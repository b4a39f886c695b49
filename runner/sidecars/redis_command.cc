#include "runner/sidecars/redis_command.h"

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

// Reads until one reply is there. Parses again only when what came has grown by
// half, so that a long reply in small pieces is not read over and over.
asio::awaitable<Expected<RedisReply>> ReadReply(asio::ip::tcp::socket& socket) {
  std::string answer;
  std::vector<char> chunk(64 << 10);
  std::size_t parse_at = 1;
  while (true) {
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(chunk), kTuple);
    answer.append(chunk.data(), size);
    if (answer.size() >= parse_at || size < chunk.size() || error) {
      ASSAY_CO_ASSIGN_OR_RETURN(auto reply, ReadRedisReply(answer));
      if (reply) co_return *std::move(reply);
      parse_at = answer.size() + answer.size() / 2;
    }
    if (error) co_return Unavailable("no answer from Redis");
  }
}

asio::awaitable<Expected<RedisReply>> Converse(wires::Network& network,
                                               std::uint16_t port,
                                               std::string bytes,
                                               RedisDeadline deadline) {
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
  const auto [unsent, sent] =
      co_await asio::async_write(*socket, asio::buffer(bytes), kTuple);
  if (unsent) co_return Unavailable("write to Redis: ", unsent.message());
  auto reply = co_await ReadReply(*socket);
  if (!reply && std::chrono::steady_clock::now() >= deadline) {
    co_return Fail(Code::kDeadlineExceeded, "Redis did not answer in time");
  }
  co_return reply;
}

}  // namespace

asio::awaitable<Expected<RedisReply>> AskRedis(
    wires::Network& network, std::uint16_t port,
    std::vector<std::string> arguments, RedisDeadline deadline) {
  co_return co_await Converse(network, port, EncodeRedisCommand(arguments),
                              deadline);
}

asio::awaitable<Status> RunRedisCommand(wires::Network& network,
                                        std::uint16_t port, std::string command,
                                        RedisDeadline deadline) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const RedisReply reply,
      co_await Converse(network, port, command + "\r\n", deadline));
  if (reply.error) {
    co_return Internal("Redis refused ", command, ": ", *reply.error);
  }
  co_return Status{};
}

}  // namespace assay::sidecars
