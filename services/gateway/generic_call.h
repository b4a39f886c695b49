#ifndef ASSAY_SERVICES_GATEWAY_GENERIC_CALL_H_
#define ASSAY_SERVICES_GATEWAY_GENERIC_CALL_H_

#include <grpcpp/generic/async_generic_service.h>

#include <boost/asio/any_io_executor.hpp>
#include <string>

#include "services/gateway/method_gate.h"

namespace assay::gateway {

// Serves every method of the registry over gRPC. Methods are looked up by
// name, so that what is registered is served, and nothing else.
//
// Ownership: borrows `gate`, which must outlive the gRPC server.
// Threads: gRPC's threads only post to `strand`.
class GenericMethods final : public grpc::CallbackGenericService {
 public:
  GenericMethods(boost::asio::any_io_executor strand, MethodGate& gate);
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  boost::asio::any_io_executor strand_;
  MethodGate& gate_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_GENERIC_CALL_H_
