#ifndef ASSAY_SERVICES_RPC_REGISTER_METHOD_H_
#define ASSAY_SERVICES_RPC_REGISTER_METHOD_H_

#include <string_view>
#include <utility>

#include "services/rpc/method_registry.h"

namespace assay::rpc {

// Registers a member function of `service` for "assay.v1.RunService/GetRun".
// `service` is borrowed for as long as the registry serves.
template <class Service, class Request, class Response>
void Register(MethodRegistry& registry, std::string_view full_name,
              Service* service,
              Async<Response> (Service::*method)(CallContext, Request)) {
  registry.Unary<Request, Response>(
      full_name, [service, method](CallContext context, Request request) {
        return (service->*method)(std::move(context), std::move(request));
      });
}

template <class Service, class Request, class Response>
void Register(MethodRegistry& registry, std::string_view full_name,
              Service* service,
              Async<void> (Service::*method)(CallContext, Request,
                                             StreamWriter<Response>)) {
  registry.ServerStream<Request, Response>(
      full_name, [service, method](CallContext context, Request request,
                                   StreamWriter<Response> writer) {
        return (service->*method)(std::move(context), std::move(request),
                                  writer);
      });
}

}  // namespace assay::rpc

#endif  // ASSAY_SERVICES_RPC_REGISTER_METHOD_H_
