#include "services/cli/server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <thread>

#include "proto/base/tls_finding.h"
#include "services/cli/printable.h"

namespace assay::cli {

Server::Server(ServerOptions options) : options_(std::move(options)) {
  if (options_.address.starts_with("http://") ||
      options_.address.starts_with("https://")) {
    connect_.emplace(options_.address, options_.token, options_.ca_file);
    return;
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // A proxy of the environment must not see loopback traffic with tokens.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_ = grpc::CreateCustomChannel(
      options_.address, grpc::InsecureChannelCredentials(), arguments);
}

void Server::Prepare(grpc::ClientContext& context) const {
  if (!options_.session.empty()) {
    context.AddMetadata("authorization", "Session " + options_.session);
    return;
  }
  if (options_.token.empty()) return;
  context.AddMetadata("authorization", "Bearer " + options_.token);
}

void Server::WaitUntilBack() {
  constexpr auto kPause = std::chrono::seconds(1);
  if (!channel_) {
    std::this_thread::sleep_for(kPause);
    return;
  }
  // gRPC's own back-off, but no longer than a second at a time.
  channel_->GetState(true);
  channel_->WaitForConnected(std::chrono::system_clock::now() + kPause);
}

Error Server::ToError(const grpc::Status& status) const {
  return Explain(
      {static_cast<Code>(status.error_code()), status.error_message()});
}

Error Server::Explain(const Error& error) const {
  const std::string message = Printable(error.message, Lines::kMany);
  // A connection that stands is one that the answer came over.
  const bool answered =
      channel_ && channel_->GetState(false) == GRPC_CHANNEL_READY;
  if (error.code == Code::kUnavailable && channel_ && !answered) {
    const TlsFinding found = LookAtTls(options_.address, options_.ca_file, 2);
    if (found.kind == TlsFinding::Kind::kGood ||
        found.kind == TlsFinding::Kind::kBad)
      return {error.code,
              options_.address +
                  " speaks TLS, and this address is for gRPC without it: say "
                  "--server https://HOST:PORT with the server's web port"};
    // Of gRPC: what it meets at a port that speaks HTTP/1.
    if (message.find("http1.x server") != std::string::npos)
      return {error.code, options_.address +
                              " is no gRPC port; if it is the web port, say "
                              "--server http://" +
                              options_.address};
    return {error.code, "no answer from the server at " + options_.address +
                            " (" + message +
                            "); start one with `assay up`, or say where "
                            "it is with --server or ASSAY_SERVER"};
  }
  if (error.code == Code::kUnauthenticated && options_.token.empty()) {
    return {error.code, message +
                            "; give a token with --token, ASSAY_TOKEN or "
                            "--data-dir"};
  }
  return {error.code, message};
}

}  // namespace assay::cli
