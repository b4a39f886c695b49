#include "services/gateway/grpc_probe.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string_view>
#include <utility>

#include "services/gateway/spawn.h"

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// HTTP/2's preface and an empty SETTINGS frame; a server answers with its own
// SETTINGS, whose head is nine bytes.
constexpr std::string_view kHello(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

// What a client of HTTP/2 says that it speaks; gRPC insists.
constexpr std::array<unsigned char, 3> kAlpn{2, 'h', '2'};

// The greeting and the first bytes of its answer.
template <class Stream>
asio::awaitable<void> Greet(Stream& stream, boost::system::error_code& error) {
  co_await asio::async_write(stream, asio::buffer(kHello),
                             asio::redirect_error(asio::use_awaitable, error));
  std::array<char, 9> frame;
  if (!error)
    co_await asio::async_read(stream, asio::buffer(frame),
                              asio::redirect_error(asio::use_awaitable, error));
}

asio::ip::address Reachable(const std::string& host) {
  std::string plain = host;
  if (plain.starts_with('[') && plain.ends_with(']'))
    plain = plain.substr(1, plain.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(plain, error);
  if (error || !address.is_unspecified()) return address;
  if (address.is_v6()) return asio::ip::address_v6::loopback();
  return asio::ip::address_v4::loopback();
}

}  // namespace

class GrpcProbe::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor strand, tcp::endpoint endpoint,
        std::function<void()> on_deaf, ProbeOptions options)
      : strand_(std::move(strand)),
        endpoint_(std::move(endpoint)),
        on_deaf_(std::move(on_deaf)),
        options_(options),
        pause_(strand_),
        limit_(strand_),
        socket_(strand_) {}

  static asio::awaitable<void> Run(std::shared_ptr<State> self) {
    int failures = 0;
    while (failures < self->options_.failures) {
      self->pause_.expires_after(self->options_.interval);
      boost::system::error_code ignored;
      co_await self->pause_.async_wait(
          asio::redirect_error(asio::use_awaitable, ignored));
      if (self->stopped_) co_return;
      const auto begin = std::chrono::steady_clock::now();
      const bool answered = co_await Ask(self);
      ++(answered ? self->counts_.answered : self->counts_.silent);
      if (answered)
        self->counts_.took = std::chrono::steady_clock::now() - begin;
      failures = answered ? 0 : failures + 1;
      if (self->stopped_) co_return;
    }
    self->on_deaf_();
  }

  const Counts& counts() const { return counts_; }

  void Stop() {
    stopped_ = true;
    pause_.cancel();
    limit_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  // False only when the port had its chance and did not answer.
  static asio::awaitable<bool> Ask(std::shared_ptr<State> self) {
    boost::system::error_code error;
    self->socket_ = tcp::socket(self->strand_);
    self->socket_.open(self->endpoint_.protocol(), error);
    if (error) co_return true;
    self->limit_.expires_after(self->options_.timeout);
    self->limit_.async_wait([self](boost::system::error_code cancelled) {
      boost::system::error_code ignored;
      if (!cancelled) self->socket_.close(ignored);
    });
    co_await self->socket_.async_connect(
        self->endpoint_, asio::redirect_error(asio::use_awaitable, error));
    if (!error && self->options_.tls)
      co_await GreetOverTls(self, error);
    else if (!error)
      co_await Greet(self->socket_, error);
    const bool answered = !error;
    self->limit_.cancel();
    self->socket_.close(error);
    co_return answered;
  }

  static asio::awaitable<void> GreetOverTls(std::shared_ptr<State> self,
                                            boost::system::error_code& error) {
    asio::ssl::stream<tcp::socket&> stream(self->socket_, self->tls_);
    SSL_set_alpn_protos(stream.native_handle(), kAlpn.data(), kAlpn.size());
    co_await stream.async_handshake(
        asio::ssl::stream_base::client,
        asio::redirect_error(asio::use_awaitable, error));
    if (!error) co_await Greet(stream, error);
  }

  const asio::any_io_executor strand_;
  const tcp::endpoint endpoint_;
  const std::function<void()> on_deaf_;
  const ProbeOptions options_;
  asio::steady_timer pause_;
  asio::steady_timer limit_;
  tcp::socket socket_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  bool stopped_ = false;
  Counts counts_;
};

GrpcProbe::GrpcProbe(asio::any_io_executor strand, const std::string& host,
                     int port, std::function<void()> on_deaf,
                     ProbeOptions options)
    : state_(std::make_shared<State>(
          strand,
          tcp::endpoint(Reachable(host), static_cast<std::uint16_t>(port)),
          std::move(on_deaf), options)) {
  Spawn(strand, "gRPC probe", State::Run(state_));
}

GrpcProbe::Counts GrpcProbe::counts() const { return state_->counts(); }

GrpcProbe::~GrpcProbe() { state_->Stop(); }

}  // namespace assay::gateway
