// OpenTelemetry's own exporters, as a service has them.

#include "runner/wires/otlp_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/digest.h"
#include "tests/testing/postgres_server.h"

namespace assay::wires {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kProgram = R"js(
const [, , kind, port] = process.argv;
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { propagation, context, trace, ROOT_CONTEXT } = require('@opentelemetry/api');
const { W3CTraceContextPropagator } = require('@opentelemetry/core');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-' + kind);
const exporter = new OTLPTraceExporter({
  url: kind === 'grpc' ? `http://127.0.0.1:${port}` : `http://127.0.0.1:${port}/v1/traces`,
  compression: kind === 'grpc' ? 'none' : 'gzip',
});
const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
const parent = new W3CTraceContextPropagator().extract(ROOT_CONTEXT,
  { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
  { get: (c, k) => c[k], keys: c => Object.keys(c) });
const span = provider.getTracer('test').startSpan('handler ' + kind, { attributes: { n: 7 } }, parent);
span.end();
provider.shutdown().then(() => console.log('sent'), e => console.log('failed', e));
)js";

class Sink final : public telemetry::EventSink {
 public:
  void Emit(assay::v1::RunEvent event) override {
    for (const auto& span : event.spans().spans()) spans.push_back(span);
  }
  std::vector<otlp::v1::Span> spans;
};

class OtlpReceiverTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const bool grpc : {false, true}) {
      auto listening = network_.Listen(0);
      ASSERT_TRUE(listening.has_value());
      (grpc ? grpc_port_ : http_port_) = PortOf(listening->get());
      grpc ? receiver_->ListenGrpc(*std::move(listening))
           : receiver_->ListenHttp(*std::move(listening));
    }
    thread_ = std::thread([this] { io_.run(); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
      receiver_.reset();
      io_.stop();
    });
    thread_.join();
    tracer_.Flush();
  }
  void TearDown() override { Stop(); }

  HostNetwork network_;
  Sink sink_;
  telemetry::Tracer tracer_{sink_, FromHex("4bf92f3577b34da6a3ce929d0e0e4736")};
  telemetry::Reports reports_{tracer_, {}};
  boost::asio::io_context io_;
  std::optional<OtlpReceiver> receiver_{std::in_place, io_.get_executor(),
                                        "service", reports_};
  std::uint16_t http_port_ = 0;
  std::uint16_t grpc_port_ = 0;
  std::thread thread_;
};
class ExporterTest : public OtlpReceiverTest,
                     public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Exporters, ExporterTest,
                         testing::Values("http", "proto", "grpc"));

TEST_P(ExporterTest, TheNodeSdkIsUnderstood) {
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  const std::string modules =
      std::string(source ? source : ".") + "/tests/runner/wires/node";
  if (!std::filesystem::exists(modules + "/node_modules/@opentelemetry/api")) {
    const auto installed = tests::RunProgram(
        {"npm", "ci", "--prefix", modules, "--no-audit", "--no-fund"});
    ASSERT_EQ(installed.exit_code, 0) << installed.text;
  }
  setenv("NODE_PATH", (modules + "/node_modules").c_str(), 1);
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("assay-otlp-" + std::to_string(getpid()) + ".js"))
                               .string();
  std::ofstream(path) << kProgram;
  const std::string kind = GetParam();
  const auto output = tests::RunProgram(
      {"node", path, kind,
       std::to_string(kind == "grpc" ? grpc_port_ : http_port_)});
  std::filesystem::remove(path);
  EXPECT_THAT(output.text, HasSubstr("sent"));
  Stop();
  ASSERT_THAT(sink_.spans, SizeIs(1)) << output.text;
  EXPECT_EQ(sink_.spans[0].name(), "handler " + kind);
  EXPECT_EQ(ToHex(sink_.spans[0].parent_span_id()), "00f067aa0ba902b7");
}

TEST_F(OtlpReceiverTest, WhatIsNoExportIsRefused) {
  const std::string url =
      "http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces";
  const auto status = [&](std::vector<std::string> options) {
    options.insert(options.begin(),
                   {"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"});
    return tests::RunProgram(options).text;
  };
  EXPECT_EQ(status({url}), "405");
  EXPECT_EQ(status({"-d", "x", url}), "415");
  EXPECT_EQ(status({"-H", "content-type: application/json", "-d", "x", url}),
            "400");
  EXPECT_EQ(status({"-H", "content-type: application/x-protobuf", "-d",
                    "\x0a\xff", url}),
            "400");
  EXPECT_EQ(status({"-d", "x", url + "/more"}), "404");
}

}  // namespace
}  // namespace assay::wires
