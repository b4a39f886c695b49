#ifndef ASSAY_SERVICES_CLI_SERVER_H_
#define ASSAY_SERVICES_CLI_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proto/base/error.h"
#include "services/cli/connect_client.h"

namespace assay::cli {

// Where the server is and who asks.
struct ServerOptions {
  // "host:port" of the gRPC port, or "http://host:port" of the web port.
  std::string address;
  // Sent as a bearer token; empty: none.
  std::string token;
  // Of an account that signed in, in a token's place. gRPC only.
  std::string session;
  // Certificates (PEM) that vouch for the server; empty: the system's.
  std::string ca_file;
};

// The connection that every command calls through: gRPC, or Connect over the
// web port when the address is a URL.
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
    Response response;
    if (connect_) {
      const Status called = connect_->Unary(request, response, timeout);
      if (!called) return std::unexpected(Explain(called.error()));
      return response;
    }
    Stub stub(channel_);
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return std::unexpected(ToError(status));
    return response;
  }

  // Reads a server stream: Watch(&Stub::WatchRun, request, on_message), until
  // it ends or `on_message` answers false.
  template <class Stub, class Request, class Response, class OnMessage>
  Status Watch(std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(
                   grpc::ClientContext*, const Request&),
               const Request& request, OnMessage on_message) {
    Response response;
    if (connect_) {
      const Status read = connect_->Stream(
          request, response, [&] { return on_message(response); });
      if (!read) return std::unexpected(Explain(read.error()));
      return {};
    }
    Stub stub(channel_);
    grpc::ClientContext context;
    Prepare(context);
    const auto reader = (stub.*method)(&context, request);
    bool more = true;
    while (more && reader->Read(&response)) more = on_message(response);
    if (!more) context.TryCancel();
    const grpc::Status status = reader->Finish();
    if (more && !status.ok()) return std::unexpected(ToError(status));
    return {};
  }

  // Until the server may answer again, at most a second.
  void WaitUntilBack();

  Error ToError(const grpc::Status& status) const;

 private:
  void Prepare(grpc::ClientContext& context) const;
  // Adds what to do about it.
  Error Explain(const Error& error) const;

  ServerOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::optional<ConnectClient> connect_;
};

}  // namespace assay::cli

#endif  // ASSAY_SERVICES_CLI_SERVER_H_
