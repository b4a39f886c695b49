#include "runner/wires/dial.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <memory>
#include <utility>

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

Status BindTo(int fd, std::uint32_t source) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(source);
  // The port is chosen at connect(), so that nothing is held in between.
  const int one = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return SystemError("bind a wire's source address", errno);
  }
  return {};
}

}  // namespace

asio::awaitable<Expected<tcp::socket>> Dial(Network& network,
                                            std::uint16_t port,
                                            std::chrono::milliseconds timeout,
                                            std::uint32_t source) {
  const auto executor = co_await asio::this_coro::executor;
  ASSAY_CO_ASSIGN_OR_RETURN(UniqueFd fd, network.OpenSocket());
  if (source != kAnyAddress) {
    ASSAY_CO_RETURN_IF_ERROR(BindTo(fd.get(), source));
  }
  // Shared with the timer, whose handler may be due when this frame is gone.
  const auto socket = std::make_shared<tcp::socket>(executor);
  boost::system::error_code error;
  socket->assign(tcp::v4(), fd.get(), error);
  if (error) co_return Internal("adopt a wire's socket: ", error.message());
  (void)fd.Release();

  // A loopback connect answers at once, unless the peer's backlog is full.
  asio::steady_timer timer(executor, timeout);
  timer.async_wait([socket](const boost::system::error_code& cancelled) {
    if (!cancelled) {
      boost::system::error_code ignored;
      socket->close(ignored);
    }
  });
  const tcp::endpoint peer(asio::ip::address_v4::loopback(),
                           network.Route(port));
  const auto [failed] =
      co_await socket->async_connect(peer, asio::as_tuple(asio::use_awaitable));
  const bool timed_out = timer.cancel() == 0;
  if (timed_out) {
    co_return Unavailable("no connection to port ", port, " within ",
                          timeout.count(), " ms");
  }
  if (failed) {
    co_return Unavailable("connect to port ", port, ": ", failed.message());
  }
  socket->set_option(tcp::no_delay(true), error);
  co_return std::move(*socket);
}

}  // namespace assay::wires
