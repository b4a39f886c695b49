#include "runner/wires/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "runner/wires/dial.h"
#include "runner/wires/spawn.h"
#include "tests/testing/event_loop.h"

namespace assay::wires {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Answers with what it gets.
asio::awaitable<void> Echo(std::shared_ptr<tcp::acceptor> acceptor,
                           asio::io_context& io) {
  while (true) {
    auto [error, socket] = co_await acceptor->async_accept(kTuple);
    if (error) co_return;
    Spawn(io.get_executor(), [](tcp::socket s) -> asio::awaitable<void> {
      std::array<char, 16'384> buffer;
      while (true) {
        const auto [bad, size] =
            co_await s.async_read_some(asio::buffer(buffer), kTuple);
        if (bad) co_return;
        co_await asio::async_write(s, asio::buffer(buffer.data(), size),
                                   kTuple);
      }
    }(std::move(socket)));
  }
}

class RelayTest : public ::testing::Test {
 protected:
  struct Came {
    std::string text;
    boost::system::error_code error;
    milliseconds took{0};
  };

  void SetUp() override {
    acceptor_ = std::make_shared<tcp::acceptor>(
        loop_.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    Spawn(loop_.executor(), Echo(acceptor_, loop_.context()));
    auto listening = network_.Listen(0);
    ASSERT_TRUE(listening.has_value());
    port_ = PortOf(listening->get());
    wire_.emplace(loop_.executor(), *std::move(listening), network_,
                  acceptor_->local_endpoint().port(), nullptr);
    wire_->SetListen([this] { return network_.Listen(port_); });
  }
  void TearDown() override {
    wire_.reset();
    boost::system::error_code ignored;
    acceptor_->close(ignored);
    loop_.RunReady();
  }

  Expected<tcp::socket> Connect() {
    return std::move(*loop_.Await(DialOut(network_, port_)));
  }
  static asio::awaitable<std::shared_ptr<Expected<tcp::socket>>> DialOut(
      Network& network, std::uint16_t port) {
    co_return std::make_shared<Expected<tcp::socket>>(
        co_await Dial(network, port, milliseconds(1000)));
  }
  // Sends `text` and reads as much back, or up to an error.
  Came Say(tcp::socket& socket, const std::string& text) {
    return loop_.Await(Talk(socket, text));
  }
  static asio::awaitable<Came> Talk(tcp::socket& socket, std::string text) {
    const auto begin = steady_clock::now();
    Came came;
    const auto [refused, sent] =
        co_await asio::async_write(socket, asio::buffer(text), kTuple);
    came.error = refused;
    std::array<char, 65'536> buffer;
    while (came.text.size() < text.size() && !came.error) {
      const auto [error, size] =
          co_await socket.async_read_some(asio::buffer(buffer), kTuple);
      came.error = error;
      came.text.append(buffer.data(), size);
    }
    came.took =
        std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
    co_return came;
  }

  // Waits for whatever comes.
  static asio::awaitable<Came> Hear(tcp::socket& socket) {
    Came came;
    std::array<char, 1024> buffer;
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(buffer), kTuple);
    came.error = error;
    came.text.assign(buffer.data(), size);
    co_return came;
  }

  assay::testing::EventLoop loop_;
  HostNetwork network_;
  std::shared_ptr<tcp::acceptor> acceptor_;
  std::optional<RelayWire> wire_;
  std::uint16_t port_ = 0;
};

TEST_F(RelayTest, BytesPassBothWays) {
  auto socket = Connect();
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(Say(*socket, "hello").text, "hello");
  EXPECT_EQ(Say(*socket, std::string(200'000, 'x')).text.size(), 200'000u);
}

TEST_F(RelayTest, ConnectionIsResetWhereItsBytesEnd) {
  wire_->SetLimits({.bytes = 1000});
  auto socket = Connect();
  EXPECT_EQ(Say(*socket, std::string(600, 'x')).text.size(), 600u);
  const Came came = Say(*socket, std::string(600, 'x'));
  EXPECT_EQ(came.error, asio::error::connection_reset);
  // Another has its own.
  auto other = Connect();
  EXPECT_EQ(Say(*other, std::string(600, 'x')).text.size(), 600u);
}

TEST_F(RelayTest, ConnectionIsResetWhenItsTimeIsOver) {
  auto socket = Connect();
  EXPECT_EQ(Say(*socket, "early").text, "early");
  wire_->SetLimits({.lifetime = milliseconds(20)});
  const Came came = loop_.Await(Hear(*socket));
  EXPECT_EQ(came.error, asio::error::connection_reset);
  EXPECT_EQ(wire_->open_connections(), 0);
}

// Who has said everything may still be answered.
TEST_F(RelayTest, AHalfClosedPeerGetsItsAnswer) {
  auto socket = Connect();
  const std::string text(100'000, 'x');
  const Came came = loop_.Await(
      [](tcp::socket& s, const std::string& said) -> asio::awaitable<Came> {
        Came got;
        co_await asio::async_write(s, asio::buffer(said), kTuple);
        s.shutdown(tcp::socket::shutdown_send, got.error);
        std::array<char, 65'536> buffer;
        while (!got.error) {
          const auto [bad, size] =
              co_await s.async_read_some(asio::buffer(buffer), kTuple);
          got.error = bad;
          got.text.append(buffer.data(), size);
        }
        co_return got;
      }(*socket, text));
  EXPECT_EQ(came.text.size(), text.size());
  EXPECT_EQ(came.error, asio::error::eof);
}

// Somebody who sends and never reads: the wire takes no more than its buffers
// and those of the kernel, and the next connection is served.
TEST_F(RelayTest, APeerThatNeverReadsIsHeldUpByItself) {
  auto socket = Connect();
  socket->non_blocking(true);
  const std::string chunk(1 << 16, 'x');
  std::size_t taken = 0;
  for (int idle = 0; idle < 50;) {
    boost::system::error_code error;
    const std::size_t sent = socket->write_some(asio::buffer(chunk), error);
    taken += sent;
    idle = error == asio::error::would_block ? idle + 1 : 0;
    ASSERT_LT(taken, 256u << 20);
    auto other = Connect();
    ASSERT_EQ(Say(*other, "hello").text, "hello");
  }
  EXPECT_LT(taken, 64u << 20);
}

TEST_F(RelayTest, LatencyDelaysEachWayAndEndsWithItsFault) {
  auto socket = Connect();
  WireFaults faults;
  faults.request.latency = milliseconds(60);
  faults.response.latency = milliseconds(40);
  ASSERT_TRUE(wire_->SetFaults(faults));
  EXPECT_GE(Say(*socket, "slow").took, milliseconds(100));
  ASSERT_TRUE(wire_->SetFaults({}));
  const Came came = Say(*socket, "quick");
  EXPECT_EQ(came.text, "quick");
  EXPECT_LT(came.took, milliseconds(100));
}

TEST_F(RelayTest, LatencyDelaysWithoutSlowing) {
  auto socket = Connect();
  WireFaults faults;
  faults.request.latency = milliseconds(100);
  ASSERT_TRUE(wire_->SetFaults(faults));
  // Forty pieces on their way at once, not one after the other.
  const Came came = Say(*socket, std::string(160'000, 'x'));
  EXPECT_EQ(came.text.size(), 160'000u);
  EXPECT_GE(came.took, milliseconds(100));
  EXPECT_LT(came.took, milliseconds(2000));
}

TEST_F(RelayTest, JitterKeepsTheOrder) {
  auto socket = Connect();
  WireFaults faults;
  faults.request.jitter = milliseconds(5);
  ASSERT_TRUE(wire_->SetFaults(faults, 42));
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + " ";
  EXPECT_EQ(Say(*socket, text).text, text);
}

TEST_F(RelayTest, BandwidthBoundsTheRate) {
  auto socket = Connect();
  WireFaults faults;
  faults.response.bandwidth = 100'000;
  ASSERT_TRUE(wire_->SetFaults(faults));
  const Came came = Say(*socket, std::string(30'000, 'x'));
  EXPECT_EQ(came.text.size(), 30'000u);
  EXPECT_GE(came.took, milliseconds(290));
}

TEST_F(RelayTest, HealingReleasesWhatIsHeldBack) {
  auto socket = Connect();
  WireFaults faults;
  faults.request.latency = std::chrono::hours(1);
  ASSERT_TRUE(wire_->SetFaults(faults));
  std::optional<Came> came;
  loop_.Spawn([](RelayTest& test, tcp::socket& socket,
                 std::optional<Came>& came) -> asio::awaitable<void> {
    came = co_await Talk(socket, "held");
  }(*this, *socket, came));
  loop_.RunReady();
  EXPECT_FALSE(came.has_value());
  asio::post(loop_.context(), [&] { (void)wire_->SetFaults({}); });
  loop_.RunUntil([&] { return came.has_value(); });
  EXPECT_EQ(came->text, "held");
}

TEST_F(RelayTest, AConnectionIsCutAfterItsBytes) {
  auto socket = Connect();
  EXPECT_EQ(Say(*socket, "before the fault").text, "before the fault");
  WireFaults faults;
  faults.response.cut_after = 10;
  ASSERT_TRUE(wire_->SetFaults(faults));
  const Came came = Say(*socket, "0123456789abcdef");
  EXPECT_TRUE(came.error);
  EXPECT_LE(came.text.size(), 10u);
  // Every new connection has as much.
  auto next = Connect();
  EXPECT_EQ(Say(*next, "01234").text, "01234");
  ASSERT_TRUE(wire_->SetFaults({}));
  EXPECT_EQ(Say(*next, "0123456789abcdef").text, "0123456789abcdef");
}

TEST_F(RelayTest, ARefusingWireIsAClosedPort) {
  auto before = Connect();
  EXPECT_EQ(Say(*before, "here").text, "here");
  ASSERT_TRUE(wire_->SetFaults({.refuse = true}));
  const auto refused = Connect();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("refused"));
  // Those that stand go on.
  EXPECT_EQ(Say(*before, "still there").text, "still there");
  ASSERT_TRUE(wire_->SetFaults({}));
  auto after = Connect();
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(Say(*after, "back").text, "back");
}

TEST_F(RelayTest, AResetIsOne) {
  auto socket = Connect();
  EXPECT_EQ(Say(*socket, "x").text, "x");
  wire_->DropConnections();
  EXPECT_EQ(Say(*socket, "y").error, asio::error::connection_reset);
}

TEST_F(RelayTest, ManyIdleConnectionsAreHeld) {
  std::vector<tcp::socket> sockets;
  for (int i = 0; i < 400; ++i) {
    auto socket = Connect();
    ASSERT_TRUE(socket.has_value()) << i;
    EXPECT_EQ(Say(*socket, "x").text, "x");
    sockets.push_back(*std::move(socket));
  }
  EXPECT_EQ(wire_->open_connections(), 400);
}

}  // namespace
}  // namespace assay::wires
