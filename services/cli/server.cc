#include "services/cli/server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "services/cli/printable.h"

namespace assay::cli {

Server::Server(ServerOptions options) : options_(std::move(options)) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // A proxy of the environment must not see loopback traffic with tokens.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_ = grpc::CreateCustomChannel(
      options_.address, grpc::InsecureChannelCredentials(), arguments);
}

void Server::Prepare(grpc::ClientContext& context) const {
  if (options_.token.empty()) return;
  context.AddMetadata("authorization", "Bearer " + options_.token);
}

Error Server::ToError(const grpc::Status& status) const {
  const auto code = static_cast<Code>(status.error_code());
  const std::string message = Printable(status.error_message(), Lines::kMany);
  if (code == Code::kUnavailable) {
    return {code, "no answer from the server at " + options_.address + " (" +
                      message +
                      "); start one with `assay up`, or say where "
                      "it is with --server or ASSAY_SERVER"};
  }
  if (code == Code::kUnauthenticated && options_.token.empty()) {
    return {code, message +
                      "; give a token with --token, ASSAY_TOKEN or "
                      "--data-dir"};
  }
  return {code, message};
}

}  // namespace assay::cli
