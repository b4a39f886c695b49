#include "sandbox/egress/proxy.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "sandbox/cell/message_socket.h"
#include "sandbox/egress/dialler_server.h"
#include "sandbox/egress/request_head.h"

namespace assay::sandbox {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr milliseconds kPatience{10'000};

struct Listener {
  UniqueFd fd;
  std::uint16_t port = 0;
};

Listener Listen() {
  Listener listener{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.fd.get(), generic, size), 0);
  EXPECT_EQ(::listen(listener.fd.get(), 128), 0);
  ::getsockname(listener.fd.get(), generic, &size);
  listener.port = ntohs(address.sin_port);
  return listener;
}

UniqueFd ConnectTo(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
                      sizeof(address)),
            0);
  return fd;
}

// A proxy on this machine's loopback, stepped by whoever waits for something.
class EgressProxyTest : public ::testing::Test {
 protected:
  ~EgressProxyTest() override {
    proxy_.reset();
    if (server_.joinable()) server_.join();
  }

  void Start(const std::vector<std::string>& destinations,
             EgressLimits limits = {}) {
    std::vector<Destination> list;
    for (const auto& text : destinations) {
      list.push_back(*ParseDestination(text));
    }
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    server_ =
        std::thread([list, fd = pair[1]] { ServeDialler(UniqueFd(fd), list); });
    StartWith(UniqueFd(pair[0]), std::move(list), limits);
  }
  void StartWith(UniqueFd dialler, std::vector<Destination> list,
                 EgressLimits limits = {}) {
    Listener listener = Listen();
    port_ = listener.port;
    ::fcntl(listener.fd.get(), F_SETFL, O_NONBLOCK);
    auto proxy = EgressProxy::Make(
        std::move(listener.fd), Dialler(std::move(dialler)), std::move(list),
        limits,
        [this](const EgressRecord& record) { records_.push_back(record); });
    ASSERT_TRUE(proxy) << proxy.error();
    proxy_.emplace(*std::move(proxy));
  }

  // Steps the proxy until `fd` is readable; false if that takes too long.
  bool StepUntilReadable(int fd) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < end) {
      pollfd polled[] = {{proxy_->fd(), POLLIN, 0}, {fd, POLLIN, 0}};
      ::poll(polled, 2, 100);
      if (polled[0].revents != 0) proxy_->Step();
      if (polled[1].revents != 0) return true;
    }
    return false;
  }
  template <class Condition>
  bool StepUntil(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      pollfd polled = {proxy_->fd(), POLLIN, 0};
      if (::poll(&polled, 1, 100) > 0) proxy_->Step();
    }
    return condition();
  }
  // Reads to the end; what a reset leaves ends with "(reset)".
  std::string ReadAll(int fd) {
    std::string all;
    char chunk[65536];
    while (StepUntilReadable(fd)) {
      const ssize_t n = ::recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
      if (n < 0) return all + "(reset)";
      if (n == 0) return all;
      all.append(chunk, static_cast<std::size_t>(n));
    }
    return all + "(timed out)";
  }
  std::string ReadSome(int fd, std::size_t size) {
    std::string all;
    while (all.size() < size && StepUntilReadable(fd)) {
      char byte = 0;
      if (::recv(fd, &byte, 1, MSG_DONTWAIT) != 1) break;
      all += byte;
    }
    return all;
  }
  UniqueFd Accept(const Listener& listener) {
    EXPECT_TRUE(StepUntilReadable(listener.fd.get()));
    return UniqueFd(
        ::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  static void Send(int fd, std::string_view text) {
    ASSERT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  UniqueFd Ask(const std::string& head) {
    UniqueFd client = ConnectTo(port_);
    Send(client.get(), head);
    return client;
  }
  // A client and a server with a tunnel between them.
  std::pair<UniqueFd, UniqueFd> Tunnel(const Listener& upstream) {
    UniqueFd client = Ask("CONNECT 127.0.0.1:" + std::to_string(upstream.port) +
                          " HTTP/1.1\r\n\r\n");
    UniqueFd server = Accept(upstream);
    const std::string_view established =
        "HTTP/1.1 200 Connection established\r\n\r\n";
    EXPECT_EQ(ReadSome(client.get(), established.size()), established);
    return {std::move(client), std::move(server)};
  }
  static std::string Local(const Listener& listener) {
    return "127.0.0.1:" + std::to_string(listener.port) + "/private";
  }

  std::uint16_t port_ = 0;
  std::optional<EgressProxy> proxy_;
  std::vector<EgressRecord> records_;
  std::thread server_;
};

TEST_F(EgressProxyTest, ATunnelPassesBytesBothWaysAndHalfCloses) {
  const Listener upstream = Listen();
  Start({Local(upstream)});
  auto [client, server] = Tunnel(upstream);
  Send(client.get(), "up");
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(ReadAll(server.get()), "up");
  Send(server.get(), "down");
  server.Reset();
  EXPECT_EQ(ReadAll(client.get()), "down");
  client.Reset();
  ASSERT_TRUE(StepUntil([&] { return !records_.empty(); }));
  const EgressRecord& record = records_[0];
  EXPECT_EQ(record.host, "127.0.0.1");
  EXPECT_EQ(record.port, upstream.port);
  EXPECT_EQ(record.address, "127.0.0.1");
  EXPECT_EQ(record.status, 200);
  EXPECT_EQ(record.problem, "");
  EXPECT_EQ(record.bytes_up, 2);
  EXPECT_EQ(record.bytes_down, 4);
  EXPECT_GT(record.end_nanos, record.begin_nanos);
}

TEST_F(EgressProxyTest, BytesThatCameWithTheHeadArePassedOn) {
  const Listener upstream = Listen();
  Start({Local(upstream)});
  const UniqueFd client =
      Ask("CONNECT 127.0.0.1:" + std::to_string(upstream.port) +
          " HTTP/1.1\r\n\r\nearly");
  const UniqueFd server = Accept(upstream);
  EXPECT_EQ(ReadSome(server.get(), 5), "early");
}

TEST_F(EgressProxyTest, APlainRequestReachesTheServerInItsOwnForm) {
  const Listener upstream = Listen();
  Start({Local(upstream)});
  const std::string port = std::to_string(upstream.port);
  const UniqueFd client =
      Ask("POST http://127.0.0.1:" + port +
          "/x HTTP/1.1\r\nHost: evil\r\nContent-Length: 2\r\n\r\nhi");
  UniqueFd server = Accept(upstream);
  const std::string expected = "POST /x HTTP/1.1\r\nHost: 127.0.0.1:" + port +
                               "\r\nContent-Length: 2\r\nConnection: close"
                               "\r\n\r\nhi";
  EXPECT_EQ(ReadSome(server.get(), expected.size()), expected);
  Send(server.get(), "HTTP/1.1 204 No Content\r\n\r\n");
  server.Reset();
  EXPECT_EQ(ReadAll(client.get()), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(EgressProxyTest, WhatIsNotListedIsNotEvenLookedUp) {
  const Listener listed = Listen();
  const Listener other = Listen();
  Start({Local(listed)});
  for (const std::string& head :
       {"CONNECT 127.0.0.1:" + std::to_string(other.port) + " HTTP/1.1\r\n\r\n",
        "GET http://127.0.0.1:" + std::to_string(other.port) +
            "/ HTTP/1.1\r\n\r\n",
        "CONNECT localhost:" + std::to_string(listed.port) +
            " HTTP/1.1\r\n\r\n",
        "CONNECT 127.1:" + std::to_string(listed.port) + " HTTP/1.1\r\n\r\n"}) {
    const UniqueFd client = Ask(head);
    EXPECT_THAT(ReadAll(client.get()), StartsWith("HTTP/1.1 403 ")) << head;
  }
  pollfd polled[] = {{listed.fd.get(), POLLIN, 0}, {other.fd.get(), POLLIN, 0}};
  EXPECT_EQ(::poll(polled, 2, 0), 0);
  ASSERT_TRUE(StepUntil([&] { return records_.size() == 4; }));
  EXPECT_THAT(records_[0].problem, HasSubstr("not among the places"));
  EXPECT_EQ(records_[0].address, "");
}

TEST_F(EgressProxyTest, APrivateAddressIsRefusedUnlessVouchedFor) {
  const Listener upstream = Listen();
  const std::string port = std::to_string(upstream.port);
  Start({"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port,
         "169.254.169.254:80"});
  for (const std::string& host :
       {"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port,
        std::string("169.254.169.254:80")}) {
    const UniqueFd client = Ask("CONNECT " + host + " HTTP/1.1\r\n\r\n");
    const std::string answer = ReadAll(client.get());
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 ")) << host;
    EXPECT_THAT(answer, HasSubstr("address")) << host;
  }
  pollfd polled = {upstream.fd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&polled, 1, 0), 0) << "nothing was connected to";
}

TEST_F(EgressProxyTest, FailuresToConnectAreAnswered) {
  Listener closed = Listen();
  const std::string local = Local(closed);
  closed.fd.Reset();
  Start({local});
  const UniqueFd refused = Ask(
      "CONNECT 127.0.0.1:" + std::to_string(closed.port) + " HTTP/1.1\r\n\r\n");
  const std::string answer = ReadAll(refused.get());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 502 "));
  EXPECT_THAT(answer, HasSubstr("Connection refused"));
}

TEST_F(EgressProxyTest, MalformedRequestsAreAnsweredWithAReason) {
  Start({"a.org:443"});
  const UniqueFd bad = Ask("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(ReadAll(bad.get()), StartsWith("HTTP/1.1 400 "));
  const UniqueFd large = Ask(std::string(kMostHeadBytes, 'x'));
  EXPECT_THAT(ReadAll(large.get()), StartsWith("HTTP/1.1 431 "));
}

TEST_F(EgressProxyTest, BackPressureHoldsBothSendersAndLosesNothing) {
  const Listener upstream = Listen();
  Start({Local(upstream)});
  auto [client, server] = Tunnel(upstream);
  ::fcntl(client.get(), F_SETFL, O_NONBLOCK);
  const std::string chunk(1 << 16, 'x');
  std::size_t sent = 0;
  // Until nothing moves any more: nobody reads at the far side.
  for (int still = 0; still < 20;) {
    const ssize_t n =
        ::send(client.get(), chunk.data(), chunk.size(), MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<std::size_t>(n);
    still = n > 0 ? 0 : still + 1;
    pollfd polled = {proxy_->fd(), POLLIN, 0};
    if (::poll(&polled, 1, 5) > 0) proxy_->Step();
  }
  EXPECT_LT(sent, 64u << 20) << "the proxy took in what nobody reads";
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(ReadAll(server.get()).size(), sent);
}

TEST_F(EgressProxyTest, AResetOfOneSideIsOneOfTheOther) {
  const Listener upstream = Listen();
  Start({Local(upstream)});
  auto [client, server] = Tunnel(upstream);
  const linger none = {1, 0};
  ::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  server.Reset();
  EXPECT_EQ(ReadAll(client.get()), "(reset)");
}

TEST_F(EgressProxyTest, ByteLimitsEndAConnection) {
  const Listener upstream = Listen();
  Start({Local(upstream)}, {.connection_bytes = 100'000});
  auto [client, server] = Tunnel(upstream);
  Send(server.get(), std::string(100'001, 'x'));
  EXPECT_THAT(ReadAll(client.get()), ::testing::EndsWith("(reset)"));
  ASSERT_TRUE(StepUntil([&] { return !records_.empty(); }));
  EXPECT_THAT(records_[0].problem, HasSubstr("one connection"));
}

TEST_F(EgressProxyTest, AllConnectionsTogetherHaveALimitToo) {
  const Listener upstream = Listen();
  Start({Local(upstream)}, {.total_bytes = 1000});
  auto [first, first_server] = Tunnel(upstream);
  Send(first.get(), std::string(900, 'x'));
  EXPECT_EQ(ReadSome(first_server.get(), 900).size(), 900u);
  auto [second, second_server] = Tunnel(upstream);
  Send(second.get(), std::string(101, 'x'));
  EXPECT_EQ(ReadAll(second.get()), "(reset)");
}

TEST_F(EgressProxyTest, TimeLimitsEndWhatHangs) {
  const Listener upstream = Listen();
  Start({Local(upstream)},
        {.head = milliseconds(50), .idle = milliseconds(300)});
  UniqueFd silent = ConnectTo(port_);
  EXPECT_THAT(ReadAll(silent.get()), StartsWith("HTTP/1.1 408 "));
  silent.Reset();
  auto [client, server] = Tunnel(upstream);
  EXPECT_EQ(ReadAll(client.get()), "(reset)");
  ASSERT_TRUE(StepUntil([&] { return records_.size() == 2; }));
  EXPECT_THAT(records_[1].problem, HasSubstr("nothing was sent"));
}

TEST_F(EgressProxyTest, ALifetimeEndsWhatGoesOnForEver) {
  const Listener upstream = Listen();
  Start({Local(upstream)}, {.lifetime = milliseconds(100)});
  auto [client, server] = Tunnel(upstream);
  EXPECT_EQ(ReadAll(client.get()), "(reset)");
  ASSERT_TRUE(StepUntil([&] { return !records_.empty(); }));
  EXPECT_THAT(records_[0].problem, HasSubstr("open for too long"));
}

TEST_F(EgressProxyTest, ConnectionsBeyondTheLimitAreReset) {
  Start({"a.org:443"}, {.connections = 2});
  const UniqueFd one = ConnectTo(port_);
  const UniqueFd two = ConnectTo(port_);
  ASSERT_TRUE(StepUntil([&] { return proxy_->connections() == 2; }));
  const UniqueFd three = ConnectTo(port_);
  EXPECT_EQ(ReadAll(three.get()), "(reset)");
  EXPECT_EQ(proxy_->connections(), 2u);
}

TEST_F(EgressProxyTest, ADiallerThatDiesFailsWhatWaitsForIt) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  StartWith(UniqueFd(pair[0]), {*ParseDestination("a.org:443")});
  UniqueFd other(pair[1]);
  const UniqueFd client = Ask("CONNECT a.org:443 HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(StepUntilReadable(other.get()));
  other.Reset();
  EXPECT_THAT(ReadAll(client.get()), StartsWith("HTTP/1.1 502 "));
  const UniqueFd later = Ask("CONNECT a.org:443 HTTP/1.1\r\n\r\n");
  EXPECT_THAT(ReadAll(later.get()), StartsWith("HTTP/1.1 502 "));
}

TEST_F(EgressProxyTest, OnlyPositionsGoToTheDialler) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd other(pair[1]);
  StartWith(UniqueFd(pair[0]),
            {*ParseDestination("a.org:80"), *ParseDestination("b.org:443")});
  const UniqueFd client =
      Ask("CONNECT b.org:443 HTTP/1.1\r\nx: y\r\n\r\nbytes");
  ASSERT_TRUE(StepUntilReadable(other.get()));
  DialCall call;
  std::vector<UniqueFd> none;
  ASSERT_EQ(ReceiveRecord(other.get(), &call, sizeof(call), none, 0),
            ReceiveResult::kMessage);
  EXPECT_EQ(call.destination, 1u);
}

TEST_F(EgressProxyTest, WhatIsOpenAtTheEndIsTold) {
  const Listener upstream = Listen();
  Start({Local(upstream)});
  auto [client, server] = Tunnel(upstream);
  proxy_.reset();
  EXPECT_THAT(records_, ElementsAre(Field(&EgressRecord::problem,
                                          HasSubstr("shut down"))));
}

}  // namespace
}  // namespace assay::sandbox
