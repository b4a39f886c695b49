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

// What a stream begins with.
struct AttachHead {
  // The metadata's value, "Bearer asy_...".
  std::string authorization;
  // The connection's.
  bool tls = false;
  // PEM; the client has shown that it has the key, and nothing else is known
  // of it. Empty: none.
  std::string certificate;
};

// Finds out which worker attaches, or refuses it in a line. Called on the
// strand.
using AdmitWorker = std::function<rpc::Async<WorkerProof>(AttachHead head)>;

// assay.runner.v1.LeaseService over gRPC's callback API: translates between
// streams and the Dispatcher.
// Register it on the ServerBuilder as it is (the method registry holds no
// bidirectional streams).
//
// Ownership: borrows `dispatcher`, which must outlive the gRPC server.
// Threads: gRPC's threads only post to `strand`.
class LeaseServiceImpl final
    : public runner::v1::LeaseService::CallbackService {
 public:
  LeaseServiceImpl(boost::asio::any_io_executor strand, Dispatcher& dispatcher,
                   AdmitWorker admit);

  grpc::ServerBidiReactor<runner::v1::AttachRequest,
                          runner::v1::AttachResponse>*
  Attach(grpc::CallbackServerContext* context) override;

 private:
  boost::asio::any_io_executor strand_;
  Dispatcher& dispatcher_;
  AdmitWorker admit_;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_LEASE_SERVICE_H_
