#ifndef ASSAY_SERVICES_GATEWAY_METHOD_GATE_H_
#define ASSAY_SERVICES_GATEWAY_METHOD_GATE_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proto/base/error.h"
#include "services/rpc/method_registry.h"

namespace assay::gateway {

// Finds out who sent an `authorization` header; kUnauthenticated when nobody
// does.
using Authenticate =
    std::function<rpc::Async<rpc::Caller>(std::string authorization)>;

// What a call says about itself, whatever protocol brought it.
struct CallHead {
  std::string authorization;
  std::string traceparent;
  std::string peer;
};

// The one way into the methods, shared by gRPC and Connect: who may call is
// decided here, and what a handler throws ends here.
//
// Ownership: borrows `methods`. Threads: confined to the coordinator's strand,
// but Find, which any thread may call.
class MethodGate {
 public:
  // A stream's caller is asked for again before a message, `ask_again` after
  // the last time: tokens are revoked and accounts disabled while it is open.
  MethodGate(const rpc::MethodRegistry& methods, Authenticate authenticate,
             std::chrono::milliseconds ask_again = std::chrono::seconds(1));

  // Null where there is no such method.
  const rpc::Method* Find(std::string_view full_name) const;

  // Lets a call in, before its message has been read.
  // Errors: kUnauthenticated, kPermissionDenied.
  rpc::Async<rpc::CallContext> Admit(const rpc::Method& method, CallHead head);

  // Call an admitted method. A stream ends with the error of `Admit` once its
  // caller would not be let in any more. A thrown exception is logged and
  // becomes kInternal, or kCancelled when the caller has gone.
  static rpc::Async<std::unique_ptr<google::protobuf::Message>> CallUnary(
      const rpc::Method& method, rpc::CallContext context,
      std::unique_ptr<google::protobuf::Message> request);
  rpc::Async<void> CallStream(
      const rpc::Method& method, rpc::CallContext context,
      std::string authorization,
      std::unique_ptr<google::protobuf::Message> request,
      rpc::MessageSink& sink);

 private:
  const rpc::MethodRegistry& methods_;
  Authenticate authenticate_;
  const std::chrono::milliseconds ask_again_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_METHOD_GATE_H_
