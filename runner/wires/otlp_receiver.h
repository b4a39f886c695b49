#ifndef ASSAY_RUNNER_WIRES_OTLP_RECEIVER_H_
#define ASSAY_RUNNER_WIRES_OTLP_RECEIVER_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "runner/telemetry/reports.h"
#include "runner/wires/network.h"

namespace assay::wires {

// Where OpenTelemetry's SDKs send to unless they are told otherwise.
inline constexpr std::uint16_t kOtlpHttpPort = 4318;
inline constexpr std::uint16_t kOtlpGrpcPort = 4317;

// A collector inside a service's cell: OTLP over HTTP (protobuf and JSON,
// gzip) and over gRPC. Answers 400 for what cannot be read and 429 with
// Retry-After once the run's quota is used up.
//
// Ownership: owns the listeners; borrows `reports`.
// Threads: confined to the run's thread.
class OtlpReceiver {
 public:
  // Connections at once.
  static constexpr int kConnections = 64;
  // Of one export as sent.
  static constexpr std::size_t kBodyBytes = 4 << 20;

  OtlpReceiver(boost::asio::any_io_executor executor, std::string service,
               telemetry::Reports& reports);
  ~OtlpReceiver();

  void ListenHttp(UniqueFd listener);
  void ListenGrpc(UniqueFd listener);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_OTLP_RECEIVER_H_
