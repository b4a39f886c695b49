#ifndef ASSAY_RUNNER_WIRES_HTTP_TAP_H_
#define ASSAY_RUNNER_WIRES_HTTP_TAP_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <string>

#include "runner/wires/http_exchange.h"
#include "runner/wires/relay.h"

namespace assay::wires {

// Who listens to what HTTP taps see.
//
// Threads: called on the run's thread, between reading and passing on: quick.
class HttpListener {
 public:
  virtual ~HttpListener() = default;
  // What is remembered about this moment, to come back in `begin`.
  virtual std::uint64_t Mark() = 0;
  // A request is under way: gives it its `span` and `number`.
  virtual void OnRequest(HttpExchange& exchange) = 0;
  virtual void OnExchange(const HttpExchange& exchange) = 0;
  // `connection` counts the wire's connections from 1.
  virtual void OnHttpFellBack(int connection, const std::string& reason) = 0;
};

// A wire that speaks HTTP/1.1 or HTTP/2 and tells its listener every request.
// `traceparent` is added to requests that have none.
//
// Ownership: as RelayWire; borrows the listener.
class HttpTap {
 public:
  HttpTap(const boost::asio::any_io_executor& executor, UniqueFd listening,
          RelayWire::Dialer dial, HttpListener& listener);

  RelayWire& wire() { return wire_; }

 private:
  int connections_ = 0;
  RelayWire wire_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_HTTP_TAP_H_
