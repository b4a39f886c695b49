#ifndef ASSAY_RUNNER_WIRES_EGRESS_WIRE_H_
#define ASSAY_RUNNER_WIRES_EGRESS_WIRE_H_

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <vector>

#include "runner/telemetry/tracer.h"
#include "runner/wires/network.h"
#include "sandbox/egress/proxy.h"

namespace assay::wires {

// The egress proxy of a cell on the run's event loop; each of its connections
// is a span below `parent`.
//
// Ownership: owns the listener and the socket to assay-egress; borrows the
// tracer.
// Threads: confined to the run's thread.
class EgressWire {
 public:
  // `dialler` is a socket to an assay-egress with the same destinations.
  static Expected<std::unique_ptr<EgressWire>> Lay(
      boost::asio::any_io_executor executor, UniqueFd listener,
      UniqueFd dialler, std::vector<sandbox::Destination> destinations,
      telemetry::Tracer& tracer, telemetry::TraceContext parent);
  // Ends every connection.
  ~EgressWire();

 private:
  struct State;
  explicit EgressWire(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_EGRESS_WIRE_H_
