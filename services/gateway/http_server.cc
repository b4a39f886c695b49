#include "services/gateway/http_server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "services/gateway/http_connection.h"
#include "services/gateway/spawn.h"

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// How long accepting rests after it failed, for want of descriptors mostly.
constexpr std::chrono::milliseconds kAcceptPause{100};

Expected<tcp::endpoint> ParseAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  unsigned port = 0;
  boost::system::error_code error;
  if (colon != std::string::npos) {
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
      host = host.substr(1, host.size() - 2);
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
    const auto address = asio::ip::make_address(host, error);
    if (!error && parsed.ec == std::errc() && parsed.ptr == end &&
        port <= 65'535)
      return tcp::endpoint(address, static_cast<std::uint16_t>(port));
  }
  return InvalidArgument("\"", text,
                         "\" is no address to listen on: expected "
                         "127.0.0.1:7080 or [::1]:7080");
}

}  // namespace

class HttpServer::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor strand, HttpOptions options)
      : options_(std::move(options)),
        strand_(std::move(strand)),
        acceptor_(strand_),
        empty_(strand_) {}

  Status Listen() {
    ASSAY_ASSIGN_OR_RETURN(const tcp::endpoint endpoint,
                           ParseAddress(options_.address));
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(1'024, error);
    if (error)
      return Unavailable("cannot listen on ", options_.address,
                         " for the web: ", error.message(),
                         ". Choose another address with --web");
    return {};
  }

  int port() const { return acceptor_.local_endpoint().port(); }

  void Serve(HttpHandler handler) {
    handler_ = std::move(handler);
    Spawn(strand_, "web accept", Accept(shared_from_this()));
  }

  static asio::awaitable<void> Accept(std::shared_ptr<State> self) {
    while (self->acceptor_.is_open()) {
      boost::system::error_code error;
      tcp::socket socket = co_await self->acceptor_.async_accept(
          asio::redirect_error(asio::use_awaitable, error));
      if (!error && self->MakeRoom())
        Spawn(self->strand_, "web connection", Serve(self, std::move(socket)));
      if (!error || !self->acceptor_.is_open()) continue;
      spdlog::warn("web: accept: {}", error.message());
      asio::steady_timer pause(self->strand_, kAcceptPause);
      co_await pause.async_wait(
          asio::redirect_error(asio::use_awaitable, error));
    }
  }

  asio::awaitable<void> Drain(std::chrono::milliseconds grace) {
    Stop();
    for (HttpConnection* connection : std::set(connections_))
      connection->Drain();
    co_await WaitUntilEmpty(grace);
    for (HttpConnection* connection : std::set(connections_))
      connection->Close();
    // Handlers that do without their client go on to their end.
    co_await WaitUntilEmpty(grace);
  }

  void Stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

  void CloseAll() {
    Stop();
    for (HttpConnection* connection : std::set(connections_))
      connection->Close();
  }

 private:
  // For one connection more; false when all are being answered.
  bool MakeRoom() {
    if (connections_.size() < options_.max_connections) return true;
    HttpConnection* idlest = nullptr;
    for (HttpConnection* connection : connections_) {
      const auto since = connection->idle_since();
      if (since && (idlest == nullptr || *since < *idlest->idle_since()))
        idlest = connection;
    }
    if (idlest == nullptr) return false;
    idlest->Close();
    return true;
  }

  asio::awaitable<bool> Greet(HttpConnection& connection) {
    if (!options_.tls) co_return true;
    const std::uint64_t place = ++greeted_;
    greeting_.emplace(place, &connection);
    if (greeting_.size() > options_.max_handshakes) EndOneGreeting();
    const bool good = co_await connection.Greet();
    greeting_.erase(place);
    co_return good;
  }

  void EndOneGreeting() {
    const auto silent = [](const auto& each) {
      return !each.second->HasHello();
    };
    const auto count =
        static_cast<std::size_t>(std::ranges::count_if(greeting_, silent));
    const auto longest = count > options_.max_handshakes / 2
                             ? std::ranges::find_if(greeting_, silent)
                             : std::ranges::find_if_not(greeting_, silent);
    longest->second->Close();
    greeting_.erase(longest);
  }

  asio::awaitable<void> WaitUntilEmpty(std::chrono::milliseconds limit) {
    if (connections_.empty()) co_return;
    empty_.expires_after(limit);
    boost::system::error_code ignored;
    co_await empty_.async_wait(
        asio::redirect_error(asio::use_awaitable, ignored));
  }

  static asio::awaitable<void> Serve(std::shared_ptr<State> self,
                                     tcp::socket socket) {
    HttpConnection connection(std::move(socket), self->options_,
                              self->handler_);
    self->connections_.insert(&connection);
    if (co_await self->Greet(connection)) co_await connection.Run();
    self->connections_.erase(&connection);
    if (self->connections_.empty()) self->empty_.cancel();
  }

  const HttpOptions options_;
  HttpHandler handler_;
  const asio::any_io_executor strand_;
  tcp::acceptor acceptor_;
  asio::steady_timer empty_;
  std::set<HttpConnection*> connections_;
  // Handshakes under way, in the order in which they began.
  std::map<std::uint64_t, HttpConnection*> greeting_;
  std::uint64_t greeted_ = 0;
};

Expected<std::unique_ptr<HttpServer>> HttpServer::Listen(
    asio::any_io_executor strand, HttpOptions options) {
  auto state = std::make_shared<State>(strand, std::move(options));
  ASSAY_RETURN_IF_ERROR(state->Listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::shared_ptr<State> state)
    : state_(std::move(state)) {}
HttpServer::~HttpServer() { state_->CloseAll(); }

int HttpServer::port() const { return state_->port(); }

void HttpServer::Serve(HttpHandler handler) {
  state_->Serve(std::move(handler));
}

asio::awaitable<void> HttpServer::Drain(std::chrono::milliseconds grace) {
  return state_->Drain(grace);
}

}  // namespace assay::gateway
