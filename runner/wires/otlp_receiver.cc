#include "runner/wires/otlp_receiver.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <optional>
#include <utility>

#include "runner/wires/grpc_server.h"
#include "runner/wires/http1_server.h"
#include "runner/wires/spawn.h"

namespace assay::wires {

namespace asio = boost::asio;
using asio::ip::tcp;
using telemetry::OtlpFormat;
using telemetry::OtlpSignal;
using Taken = telemetry::Reports::Taken;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

std::optional<OtlpSignal> SignalOfPath(std::string_view path) {
  if (path == "/v1/traces" ||
      path == "/opentelemetry.proto.collector.trace.v1.TraceService/Export") {
    return OtlpSignal::kTraces;
  }
  if (path == "/v1/logs" ||
      path == "/opentelemetry.proto.collector.logs.v1.LogsService/Export") {
    return OtlpSignal::kLogs;
  }
  if (path == "/v1/metrics" ||
      path ==
          "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export") {
    return OtlpSignal::kMetrics;
  }
  return std::nullopt;
}

ServedReply Plain(int status, std::string text) {
  return {status, {{"content-type", "text/plain"}}, std::move(text) + "\n", {}};
}

}  // namespace

struct OtlpReceiver::State : std::enable_shared_from_this<OtlpReceiver::State> {
  State(asio::any_io_executor executor, std::string service,
        telemetry::Reports& reports)
      : executor(std::move(executor)),
        service(std::move(service)),
        reports(&reports) {}

  static asio::awaitable<void> Accept(std::shared_ptr<State> self,
                                      std::shared_ptr<tcp::acceptor> acceptor,
                                      bool grpc) {
    while (self->reports != nullptr) {
      auto [error, socket] = co_await acceptor->async_accept(kTuple);
      if (error == asio::error::operation_aborted || self->reports == nullptr) {
        co_return;
      }
      if (error || self->connections >= kConnections) continue;
      Spawn(self->executor, Serve(self, std::move(socket), grpc));
    }
  }

  static asio::awaitable<void> Serve(std::shared_ptr<State> self,
                                     tcp::socket socket, bool grpc) {
    ++self->connections;
    if (grpc) {
      co_await ServeGrpc(
          std::move(socket), kBodyBytes,
          [self](const GrpcCall& call) { return self->Grpc(call); });
    } else {
      co_await ServeHttp1(
          std::move(socket), kBodyBytes,
          [self](const ServedRequest& request) { return self->Http(request); });
    }
    --self->connections;
  }

  ServedReply Http(const ServedRequest& request) {
    const auto signal = SignalOfPath(request.head.second);
    if (reports == nullptr || !signal) return Plain(404, "not an OTLP path");
    if (request.head.first != "POST") return Plain(405, "expected POST");
    if (request.body_too_large) return Plain(413, "the export is too large");
    const std::string_view type =
        FindHeader(request.head.headers, "content-type");
    const std::string_view encoding =
        FindHeader(request.head.headers, "content-encoding");
    const bool json = type.starts_with("application/json");
    if (!json && !type.starts_with("application/x-protobuf")) {
      return Plain(415, "expected protobuf or JSON");
    }
    if (!encoding.empty() && encoding != "gzip" && encoding != "identity") {
      return Plain(415, "expected gzip or nothing");
    }
    std::string problem;
    switch (reports->Take(*signal, service, request.body,
                          json ? OtlpFormat::kJson : OtlpFormat::kProtobuf,
                          encoding == "gzip", problem)) {
      case Taken::kBad:
        return Plain(400, problem);
      case Taken::kOverQuota:
        return {429, {{"retry-after", "60"}}, problem + "\n", {}};
      case Taken::kAll:
        break;
    }
    return {200,
            {{"content-type",
              json ? "application/json" : "application/x-protobuf"}},
            json ? "{}" : "",
            {}};
  }

  GrpcAnswer Grpc(const GrpcCall& call) {
    const auto signal = SignalOfPath(call.path);
    if (reports == nullptr || !signal) {
      return {GrpcCode::kUnimplemented, "not an OTLP method"};
    }
    std::string problem;
    switch (reports->Take(*signal, service, call.message, OtlpFormat::kProtobuf,
                          call.gzip, problem)) {
      case Taken::kBad:
        return {GrpcCode::kInvalid, problem};
      case Taken::kOverQuota:
        return {GrpcCode::kExhausted, problem};
      case Taken::kAll:
        return {};
    }
    return {};
  }

  void Listen(UniqueFd fd, bool grpc) {
    auto acceptor = std::make_shared<tcp::acceptor>(executor);
    acceptor->assign(tcp::v4(), fd.Release());
    acceptors.push_back(acceptor);
    Spawn(executor, Accept(shared_from_this(), acceptor, grpc));
  }

  asio::any_io_executor executor;
  const std::string service;
  // Null once the receiver is gone.
  telemetry::Reports* reports;
  std::list<std::shared_ptr<tcp::acceptor>> acceptors;
  int connections = 0;
};

OtlpReceiver::OtlpReceiver(asio::any_io_executor executor, std::string service,
                           telemetry::Reports& reports)
    : state_(std::make_shared<State>(std::move(executor), std::move(service),
                                     reports)) {}

OtlpReceiver::~OtlpReceiver() {
  state_->reports = nullptr;
  boost::system::error_code ignored;
  for (const auto& acceptor : state_->acceptors) acceptor->close(ignored);
}

void OtlpReceiver::ListenHttp(UniqueFd listener) {
  state_->Listen(std::move(listener), false);
}
void OtlpReceiver::ListenGrpc(UniqueFd listener) {
  state_->Listen(std::move(listener), true);
}

}  // namespace assay::wires
