#ifndef ASSAY_SERVICES_DISPATCH_LEASE_SERVICE_H_
#define ASSAY_SERVICES_DISPATCH_LEASE_SERVICE_H_

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "assay/runner/v1/lease_service.grpc.pb.h"
#include "services/dispatch/dispatcher.h"
#include "services/rpc/method_registry.h"

namespace assay::dispatch {

// Finds out who calls; UNAUTHENTICATED for an unknown token. `authorization`
// is the metadata's value, "Bearer asy_...". Called on the strand.
using Authenticate =
    std::function<rpc::Async<rpc::Caller>(std::string authorization)>;

// assay.runner.v1.LeaseService over gRPC's callback API: translates between
// streams and the Dispatcher, and checks that a token has ROLE_WORKER.
// Register it on the ServerBuilder as it is (the method registry holds no
// bidirectional streams).
//
// Ownership: borrows `dispatcher`, which must outlive the gRPC server.
// Threads: gRPC's threads only post to `strand`.
class LeaseServiceImpl final
    : public runner::v1::LeaseService::CallbackService {
 public:
  LeaseServiceImpl(boost::asio::any_io_executor strand, Dispatcher& dispatcher,
                   Authenticate authenticate);

  grpc::ServerBidiReactor<runner::v1::AttachRequest,
                          runner::v1::AttachResponse>*
  Attach(grpc::CallbackServerContext* context) override;

 private:
  boost::asio::any_io_executor strand_;
  Dispatcher& dispatcher_;
  Authenticate authenticate_;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_LEASE_SERVICE_H_
