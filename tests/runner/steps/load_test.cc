#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

#include "runner/steps/latency_histogram.h"
#include "runner/steps/load_generator.h"
#include "runner/steps/load_step.h"
#include "runner/wires/http1_server.h"
#include "runner/wires/spawn.h"
#include "tests/testing/event_loop.h"

namespace assay::steps {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

TEST(LatencyHistogramTest, PercentilesAreWithinABucket) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100'000; ++i) histogram.Add(microseconds(i));
  for (const double fraction : {0.5, 0.9, 0.99, 0.999}) {
    const double exact = fraction * 100'000;
    const auto found =
        static_cast<double>(histogram.Percentile(fraction).count());
    EXPECT_GE(found, exact);
    EXPECT_LE(found, exact * (1 + 1.0 / 128) + 1) << fraction;
  }
  EXPECT_EQ(histogram.Percentile(1), microseconds(100'000));
  EXPECT_EQ(histogram.max(), microseconds(100'000));
}

TEST(LatencyHistogramTest, MergedOnesCountAsOne) {
  LatencyHistogram a;
  LatencyHistogram b;
  LatencyHistogram both;
  for (int i = 0; i < 1000; ++i) {
    (i % 3 ? a : b).Add(microseconds(i * i));
    both.Add(microseconds(i * i));
  }
  a.Merge(b);
  EXPECT_EQ(a.count(), both.count());
  for (const double f : {0.1, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(a.Percentile(f), both.Percentile(f));
  }
}

TEST(LatencyHistogramTest, ExtremesAreHeld) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Percentile(0.99), microseconds(0));
  histogram.Add(microseconds(-5));
  EXPECT_EQ(histogram.Percentile(1), microseconds(0));
  histogram.Add(std::chrono::hours(10));
  EXPECT_EQ(histogram.max(), LatencyHistogram::kMost);
}

TEST(LatencyHistogramTest, BarsHoldEverythingInFourOfAPower) {
  LatencyHistogram histogram;
  EXPECT_TRUE(histogram.Bars().empty());
  std::int64_t wanted = 0;
  for (int i = 0; i < 5000; i += 7, ++wanted) histogram.Add(microseconds(i));
  std::int64_t counted = 0;
  microseconds before(-1);
  for (const LatencyHistogram::Bar& bar : histogram.Bars()) {
    EXPECT_GT(bar.upper, before);
    before = bar.upper;
    counted += bar.count;
  }
  EXPECT_EQ(counted, wanted);
  LatencyHistogram one;
  one.Add(microseconds(1100));
  ASSERT_EQ(one.Bars().size(), 1u);
  EXPECT_EQ(one.Bars().front().upper, microseconds(1279));
}

TEST(ArrivalsTest, ConstantAndPoissonAreAsOftenAsPlanned) {
  const auto even = PlanArrivals(1000, std::chrono::seconds(2), false, 1);
  ASSERT_EQ(even.size(), 2000u);
  EXPECT_EQ(even[1000], std::chrono::seconds(1));
  const auto random = PlanArrivals(1000, std::chrono::seconds(20), true, 1);
  // Five standard deviations.
  EXPECT_NEAR(static_cast<double>(random.size()), 20'000,
              5 * std::sqrt(20'000));
  EXPECT_TRUE(std::ranges::is_sorted(random));
  EXPECT_EQ(random, PlanArrivals(1000, std::chrono::seconds(20), true, 1));
  EXPECT_NE(random, PlanArrivals(1000, std::chrono::seconds(20), true, 2));
}

TEST(PartialShareTest, PointsFallInAStraightLine) {
  EXPECT_EQ(PartialShare(50, 80, 300), 1);
  EXPECT_EQ(PartialShare(190, 80, 300), 0.5);
  EXPECT_EQ(PartialShare(400, 80, 300), 0);
  // Of what is better when it is more.
  EXPECT_NEAR(PartialShare(0.95, 1.0, 0.9), 0.5, 1e-9);
}

// A service that answers at once, but for what a test scripts.
class LoadTest : public ::testing::Test {
 protected:
  using Answer = std::function<wires::ServedReply(const wires::ServedRequest&)>;

  void Serve(Answer answer) {
    acceptor_ = std::make_shared<tcp::acceptor>(
        loop_.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    wires::Spawn(loop_.executor(),
                 Accept(acceptor_, loop_.context(), std::move(answer)));
  }
  static asio::awaitable<void> Accept(std::shared_ptr<tcp::acceptor> acceptor,
                                      asio::io_context& io, Answer answer) {
    while (true) {
      auto [error, socket] = co_await acceptor->async_accept(kTuple);
      if (error) co_return;
      wires::Spawn(io.get_executor(),
                   wires::ServeHttp1(std::move(socket), 1024, answer));
    }
  }
  void TearDown() override {
    boost::system::error_code ignored;
    acceptor_->close(ignored);
    loop_.RunReady();
  }
  LoadResult Generate(double rate, milliseconds duration, int connections = 8,
                      milliseconds warmup = milliseconds(0)) {
    plan_.messages = {"GET / HTTP/1.1\r\nhost: x\r\n\r\n"};
    plan_.message_of = {0};
    plan_.is_head = {false};
    plan_.due = PlanArrivals(rate, duration, false, 1);
    plan_.warmup = warmup;
    plan_.connections = connections;
    if (plan_.grace.count() == 0) plan_.grace = milliseconds(2000);
    return loop_.Await(
        GenerateLoad(plan_, network_, acceptor_->local_endpoint().port()));
  }

  assay::testing::EventLoop loop_;
  wires::HostNetwork network_;
  std::shared_ptr<tcp::acceptor> acceptor_;
  LoadPlan plan_;
};

TEST_F(LoadTest, EveryPlannedRequestIsSentAndAnswered) {
  Serve([](const auto&) { return wires::ServedReply{.body = "ok"}; });
  const LoadResult result = Generate(2000, milliseconds(500));
  EXPECT_EQ(result.planned, 1000);
  EXPECT_EQ(result.answered, 1000);
  EXPECT_EQ(result.failed(), 0);
  EXPECT_EQ(result.statuses.at(200), 1000);
  EXPECT_EQ(result.slowest.size(), LoadResult::kSlowest);
  EXPECT_EQ(FigureOf(result, "achieved"), 1);
}

TEST_F(LoadTest, WarmupIsSentAndNotCounted) {
  int served = 0;
  Serve([&](const auto&) {
    ++served;
    return wires::ServedReply{};
  });
  const LoadResult result =
      Generate(1000, milliseconds(400), 8, milliseconds(200));
  EXPECT_EQ(served, 400);
  EXPECT_EQ(result.planned, 200);
  EXPECT_EQ(result.latency.count(), 200);
}

// The service stands still for 400 ms of a second. Whoever measured from the
// send would see one slow request per connection.
TEST_F(LoadTest, AStallIsSeenByEveryRequestThatWasDueInIt) {
  int served = 0;
  Serve([&](const auto&) {
    wires::ServedReply reply;
    ++served;
    if (served >= 300 && served < 304) reply.delay = milliseconds(400);
    return reply;
  });
  const LoadResult result = Generate(1000, std::chrono::seconds(1), 4);
  EXPECT_EQ(result.answered, 1000);
  EXPECT_GE(result.latency.Percentile(0.99), milliseconds(300));
  // 400 of 1000 requests waited, uniformly between 0 and 400 ms.
  EXPECT_GE(result.latency.Percentile(0.8), milliseconds(120));
  EXPECT_LT(result.service_time.Percentile(0.98), milliseconds(100));
}

// 200 requests a second for four seconds, and a service that stands still for
// one of them: 200 requests wait, the first for 1000 ms, the next for 995, ...
TEST_F(LoadTest, PercentilesOfAScriptedStallAreTheAnalyticOnes) {
  int served = 0;
  steady_clock::time_point stalls_until;
  Serve([&](const auto&) {
    wires::ServedReply reply;
    const auto now = steady_clock::now();
    if (served++ == 300) stalls_until = now + std::chrono::seconds(1);
    if (now < stalls_until) {
      reply.delay = std::chrono::ceil<microseconds>(stalls_until - now);
    }
    return reply;
  });
  const LoadResult result = Generate(200, std::chrono::seconds(4), 256);
  ASSERT_EQ(result.answered, 800);
  // What the machine itself added, which is next to nothing on a quiet one.
  const auto noise =
      static_cast<double>((result.lateness.max() + result.host_stall).count());
  constexpr double kApart = 5000;
  for (const double fraction : {0.8, 0.9, 0.95, 0.99, 0.999}) {
    const double exact = (fraction * 800 - 600) * kApart;
    const auto found =
        static_cast<double>(result.latency.Percentile(fraction).count());
    EXPECT_NEAR(found, exact, exact / 128 + kApart + noise) << fraction;
  }
  // From plan, the stall is there; a closed loop would hardly have seen it.
  EXPECT_GE(result.latency.Percentile(0.99), milliseconds(900));
  EXPECT_LT(result.latency.Percentile(0.7).count(), 20'000 + noise);
}

TEST_F(LoadTest, ErrorsAreCountedByKind) {
  int served = 0;
  Serve([&](const auto&) {
    return wires::ServedReply{.status = ++served % 4 == 0 ? 503 : 200};
  });
  const LoadResult result = Generate(1000, milliseconds(200));
  EXPECT_EQ(result.errors.at("5xx"), 50);
  EXPECT_EQ(FigureOf(result, "errors"), 0.25);
}

TEST_F(LoadTest, WhatIsNeverAnsweredIsAnErrorAndSlow) {
  Serve([](const auto&) {
    return wires::ServedReply{.delay = std::chrono::hours(1)};
  });
  plan_.grace = milliseconds(200);
  const LoadResult result = Generate(100, milliseconds(100), 2);
  EXPECT_EQ(result.answered, 0);
  EXPECT_EQ(result.errors.at("no answer"), 2);
  EXPECT_EQ(result.unsent, 8);
  EXPECT_GE(result.latency.Percentile(0.5), milliseconds(200));
}

TEST_F(LoadTest, BrokenConnectionsAreOpenedAgain) {
  acceptor_ = std::make_shared<tcp::acceptor>(
      loop_.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  // Each connection is closed after one answer.
  wires::Spawn(
      loop_.executor(),
      [](std::shared_ptr<tcp::acceptor> acceptor) -> asio::awaitable<void> {
        while (true) {
          auto [error, socket] = co_await acceptor->async_accept(kTuple);
          if (error) co_return;
          std::array<char, 1024> buffer;
          [[maybe_unused]] const auto [bad, size] =
              co_await socket.async_read_some(asio::buffer(buffer), kTuple);
          constexpr std::string_view kAnswer =
              "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: "
              "0\r\n\r\n";
          co_await asio::async_write(socket, asio::buffer(kAnswer), kTuple);
        }
      }(acceptor_));
  const LoadResult result = Generate(200, milliseconds(200), 1);
  EXPECT_EQ(result.answered, 40);
  EXPECT_EQ(result.failed(), 0);
}

}  // namespace
}  // namespace assay::steps
