#include "services/gateway/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <cstdio>
#include <cstring>
#include <mutex>
#include <utility>

#include "services/gateway/generic_call.h"
#include "services/gateway/grpc_credentials.h"

namespace assay::gateway {
namespace {

// A template and a suite of 32 MiB each, with room for the rest.
constexpr int kMaxMessageBytes = 72 << 20;

void SetLimits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, int>>{
           // A second server on the same port must fail, not share it.
           {GRPC_ARG_ALLOW_REUSEPORT, 0},
           {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5'000},
           {GRPC_ARG_MAX_CONCURRENT_STREAMS, 200},
           {GRPC_ARG_MAX_METADATA_SIZE, 16 << 10},
           {GRPC_ARG_MAX_CONNECTION_IDLE_MS, 15 * 60'000},
           {GRPC_ARG_KEEPALIVE_TIME_MS, 20'000},
           {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000},
           {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
           {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000}})
    builder.AddChannelArgument(name, value);
}

// Anybody can fail a handshake, as often as they like: that fills no log.
void Log(gpr_log_func_args* args) {
  if (std::strstr(args->file, "ssl_transport_security") != nullptr) return;
  std::fprintf(stderr, "gRPC: %s\n", args->message);
}

void EnablePluginsOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(Log);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

}  // namespace

struct GrpcServer::State {
  State(boost::asio::any_io_executor strand, MethodGate& gate)
      : methods(std::move(strand), gate) {}
  GenericMethods methods;
  // Asked by handshakes for as long as the server lives.
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  int local_port = 0;
};

Expected<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    boost::asio::any_io_executor strand, MethodGate& gate,
    GrpcOptions options) {
  EnablePluginsOnce();
  auto state = std::make_unique<State>(std::move(strand), gate);
  grpc::ServerBuilder builder;
  SetLimits(builder);
  state->credentials = options.tls != nullptr
                           ? TlsCredentials(*options.tls)
                           : grpc::InsecureServerCredentials();
  builder.AddListeningPort(options.address, state->credentials, &state->port);
  if (!options.local_address.empty())
    builder.AddListeningPort(options.local_address,
                             grpc::InsecureServerCredentials(),
                             &state->local_port);
  builder.RegisterCallbackGenericService(&state->methods);
  for (grpc::Service* service : options.services)
    builder.RegisterService(service);
  state->server = builder.BuildAndStart();
  const bool local = options.local_address.empty() || state->local_port != 0;
  if (state->server == nullptr || state->port == 0 || !local)
    return Unavailable(
        "cannot listen on ", options.address,
        options.local_address.empty() ? "" : " and " + options.local_address,
        " for gRPC: is another assayd running there? Choose "
        "another address with --listen");
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(state)));
}

GrpcServer::GrpcServer(std::unique_ptr<State> state)
    : state_(std::move(state)) {}

GrpcServer::~GrpcServer() {
  if (state_) Shutdown(std::chrono::milliseconds(0));
}

int GrpcServer::port() const { return state_->port; }
int GrpcServer::local_port() const { return state_->local_port; }

void GrpcServer::AnnounceDrain() {
  state_->server->GetHealthCheckService()->SetServingStatus(false);
}

void GrpcServer::Shutdown(std::chrono::milliseconds grace) {
  // Without a deadline one open stream would hold the server for ever.
  state_->server->Shutdown(std::chrono::system_clock::now() + grace);
  state_->server->Wait();
}

}  // namespace assay::gateway
