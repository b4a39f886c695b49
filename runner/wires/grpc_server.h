#ifndef ASSAY_RUNNER_WIRES_GRPC_SERVER_H_
#define ASSAY_RUNNER_WIRES_GRPC_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>

namespace assay::wires {

// A unary call as it came.
struct GrpcCall {
  // "/package.Service/Method".
  std::string path;
  std::string message;
  // The message is compressed, by gzip.
  bool gzip = false;
};

// gRPC's status codes that are answered with.
enum class GrpcCode {
  kOk = 0,
  kInvalid = 3,
  kExhausted = 8,
  kUnimplemented = 12
};

struct GrpcAnswer {
  GrpcCode code = GrpcCode::kOk;
  std::string message;
};

// Answers unary gRPC calls of one HTTP/2 connection without TLS, each with an
// empty message, until the peer ends it. Bounded: 64 streams, messages of
// `message_limit` bytes.
boost::asio::awaitable<void> ServeGrpc(
    boost::asio::ip::tcp::socket socket, std::size_t message_limit,
    std::function<GrpcAnswer(const GrpcCall&)> answer);

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_GRPC_SERVER_H_
