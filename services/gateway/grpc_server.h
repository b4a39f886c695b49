#ifndef ASSAY_SERVICES_GATEWAY_GRPC_SERVER_H_
#define ASSAY_SERVICES_GATEWAY_GRPC_SERVER_H_

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/error.h"
#include "services/gateway/method_gate.h"

namespace grpc {
class Service;
}

namespace assay::gateway {

class TlsIdentity;

struct GrpcOptions {
  // "127.0.0.1:7070"; port 0 takes a free one.
  std::string address;
  // Borrowed; null: no TLS.
  const TlsIdentity* tls = nullptr;
  // A second address, without TLS, for programs of this machine; empty: none.
  std::string local_address;
  // Services with streams from the client, which the registry does not hold.
  std::vector<grpc::Service*> services;
};

// The gRPC port: the registry's methods, `services`, health and reflection.
//
// Debian's gRPC 1.51 goes deaf once it has run out of file descriptors
// (CVE-2023-4785), so idle and half-open connections are ended soon; the
// program raises its own limit.
//
// Ownership: borrows `gate` and the services.
class GrpcServer {
 public:
  // kUnavailable: the address cannot be listened on.
  static Expected<std::unique_ptr<GrpcServer>> Start(
      boost::asio::any_io_executor strand, MethodGate& gate,
      GrpcOptions options);
  ~GrpcServer();

  int port() const;
  // Of the second address; 0 without one.
  int local_port() const;
  // Health answers NOT_SERVING from here on; calls are still taken.
  void AnnounceDrain();
  // Ends every call after `grace`. Blocks; must not be called on the strand,
  // which has to run meanwhile.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit GrpcServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_GRPC_SERVER_H_
