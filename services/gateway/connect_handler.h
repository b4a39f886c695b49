#ifndef ASSAY_SERVICES_GATEWAY_CONNECT_HANDLER_H_
#define ASSAY_SERVICES_GATEWAY_CONNECT_HANDLER_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "services/gateway/http_exchange.h"
#include "services/gateway/method_gate.h"
#include "services/gateway/session_cookie.h"

namespace assay::gateway {

// Serves the registry's methods by the Connect protocol: unary calls and
// server streams, JSON only.
//
// Ownership: borrows `gate`. Threads: confined to `strand`.
class ConnectHandler {
 public:
  // `https`: whether that is how browsers reach this, which decides what kind
  // of cookie a session has.
  ConnectHandler(boost::asio::any_io_executor strand, MethodGate& gate,
                 bool https = false);

  // True when `path` names a method: "/assay.v1.RunService/GetRun".
  bool Serves(std::string_view path) const;
  // Answers one call. The caller is known before the body is read.
  boost::asio::awaitable<void> Handle(HttpExchange& exchange);

 private:
  boost::asio::any_io_executor strand_;
  MethodGate& gate_;
  const SessionCookie cookie_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_CONNECT_HANDLER_H_
