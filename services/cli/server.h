#ifndef ASSAY_SERVICES_CLI_SERVER_H_
#define ASSAY_SERVICES_CLI_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "proto/base/error.h"

namespace assay::cli {

// Where the server is and who asks.
struct ServerOptions {
  // "host:port".
  std::string address;
  // Sent as a bearer token; empty: none.
  std::string token;
};

// A gRPC connection that every command calls through.
//
// Threads: one. Errors: the server's own, with kUnavailable's message saying
// which address was tried.
class Server {
 public:
  explicit Server(ServerOptions options);

  const ServerOptions& options() const { return options_; }

  // Calls one unary method: Call(&Stub::GetRun, request), with `Stub` of the
  // service's generated class.
  template <class Stub, class Request, class Response>
  Expected<Response> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request,
      std::chrono::milliseconds timeout = std::chrono::seconds(60)) {
    Stub stub(channel_);
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return std::unexpected(ToError(status));
    return response;
  }

  // For server streams: the channel, and the caller's credentials.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  void Prepare(grpc::ClientContext& context) const;

  Error ToError(const grpc::Status& status) const;

 private:
  ServerOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SERVER_H_
