// The receiver that takes services' spans takes ours, too.

#include "services/telemetry/span_exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <optional>
#include <thread>

#include "proto/base/digest.h"
#include "runner/wires/otlp_receiver.h"

namespace assay::telemetry {
namespace {

const std::string kTrace = FromHex("4bf92f3577b34da6a3ce929d0e0e4736");

otlp::v1::Span SomeSpan(int number) {
  otlp::v1::Span span;
  span.set_trace_id(kTrace);
  span.set_span_id(std::string(7, 's') + static_cast<char>('a' + number % 26));
  span.set_name("span " + std::to_string(number));
  span.set_start_time_unix_nano(1'000);
  span.set_end_time_unix_nano(2'000);
  return span;
}

void WaitFor(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

class Sink final : public EventSink {
 public:
  void Emit(assay::v1::RunEvent event) override {
    for (const auto& span : event.spans().spans()) names.push_back(span.name());
  }
  std::vector<std::string> names;
};

class Receiver {
 public:
  explicit Receiver(bool grpc) {
    auto listening = network_.Listen(0);
    port = wires::PortOf(listening->get());
    grpc ? receiver_->ListenGrpc(*std::move(listening))
         : receiver_->ListenHttp(*std::move(listening));
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Receiver() { Names(); }
  // What came; it takes no more.
  std::vector<std::string> Names() {
    if (thread_.joinable()) {
      boost::asio::post(io_, [this] {
        receiver_.reset();
        io_.stop();
      });
      thread_.join();
      tracer_.Flush();
    }
    return sink_.names;
  }
  std::uint16_t port = 0;

 private:
  wires::HostNetwork network_;
  Sink sink_;
  Tracer tracer_{sink_, kTrace};
  Reports reports_{tracer_, {}};
  boost::asio::io_context io_;
  std::optional<wires::OtlpReceiver> receiver_{
      std::in_place, io_.get_executor(), "service", reports_};
  std::thread thread_;
};

OtlpSettings SettingsFor(bool grpc, std::uint16_t port) {
  const std::string host = "127.0.0.1:" + std::to_string(port);
  return {.protocol = grpc ? OtlpSettings::Protocol::kGrpc
                           : OtlpSettings::Protocol::kHttp,
          .target = grpc ? host : "http://" + host + "/v1/traces",
          .headers = {{"X-Key", "secret"}},
          .resource = {{"service.name", "assay"}},
          .timeout = std::chrono::seconds(5),
          .delay = std::chrono::milliseconds(5),
          .first_pause = std::chrono::milliseconds(5)};
}

// A port that listens and never answers.
class Silent {
 public:
  Silent() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    listen(fd_, 16);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Silent() { close(fd_); }
  std::uint16_t port = 0;

 private:
  int fd_;
};

class SpanExporterTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Over, SpanExporterTest, ::testing::Bool(),
                         [](const auto& grpc) {
                           return grpc.param ? "Grpc" : "Http";
                         });

TEST_P(SpanExporterTest, SpansArriveInBatches) {
  Receiver receiver(GetParam());
  SpanExporter exporter(SettingsFor(GetParam(), receiver.port));
  for (int i = 0; i < 20; ++i) exporter.Offer(SomeSpan(i));
  WaitFor([&] { return exporter.counts().exported == 20; });
  EXPECT_EQ(exporter.counts().exported, 20u);
  EXPECT_EQ(exporter.counts().dropped, 0u);
  EXPECT_THAT(receiver.Names(), ::testing::SizeIs(20));
}

TEST_P(SpanExporterTest, WhatWaitsAtTheEndIsGivenAChance) {
  Receiver receiver(GetParam());
  OtlpSettings settings = SettingsFor(GetParam(), receiver.port);
  settings.delay = std::chrono::hours(1);
  {
    SpanExporter exporter(settings);
    exporter.Offer(SomeSpan(1));
  }
  EXPECT_THAT(receiver.Names(), ::testing::ElementsAre("span 1"));
}

TEST_P(SpanExporterTest, ACollectorThatIsAwayCostsCountedSpans) {
  std::uint16_t port = 0;
  {
    port = Silent().port;
  }  // nobody listens there any more
  OtlpSettings settings = SettingsFor(GetParam(), port);
  settings.timeout = std::chrono::milliseconds(200);
  SpanExporter exporter(settings);
  exporter.Offer(SomeSpan(1));
  WaitFor([&] { return exporter.counts().dropped == 1; });
  EXPECT_EQ(exporter.counts().dropped, 1u);
  EXPECT_EQ(exporter.counts().exported, 0u);
}

TEST_P(SpanExporterTest, ACollectorThatHangsHoldsUpNobodyAndFillsNoMemory) {
  const Silent silent;
  OtlpSettings settings = SettingsFor(GetParam(), silent.port);
  settings.timeout = std::chrono::minutes(5);
  settings.max_queue = 100;
  settings.max_batch = 10;
  std::optional<SpanExporter> exporter(std::in_place, settings);
  // Ten of them may be on their way by then.
  for (int i = 0; i < 10'000; ++i) exporter->Offer(SomeSpan(i));
  const auto counts = exporter->counts();
  EXPECT_GE(counts.dropped, 9'000u);
  EXPECT_LE(counts.waiting, 100u);
  const auto begin = std::chrono::steady_clock::now();
  exporter.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace assay::telemetry
