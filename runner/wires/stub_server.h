#ifndef ASSAY_RUNNER_WIRES_STUB_SERVER_H_
#define ASSAY_RUNNER_WIRES_STUB_SERVER_H_

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/wires/http1_server.h"
#include "runner/wires/relay.h"

namespace assay::wires {

using StubReply = ServedReply;

// Replies by "METHOD /path"; a `*` in a path stands for one segment. Several
// replies are given in turn, the last one again and again.
using StubRoutes = std::map<std::string, std::vector<StubReply>>;

// Reads the plan's `routes_json`: `{ "POST /charge": { "status": 201, "json":
// {...}, "headers": {...}, "text": "...", "delay": "200ms" } }`, or a list of
// such replies.
// INVALID_ARGUMENT: what is wrong, by route.
Expected<StubRoutes> ParseStubRoutes(std::string_view json);

// A third party's HTTP/1.1 service as the suite scripts it. Its connections
// come over a wire, so that they are tapped and disturbed like any other.
//
// Ownership: as RelayWire.
// Memory: a request's body is read and dropped.
// Threads: confined to the run's thread.
class StubServer {
 public:
  StubServer(boost::asio::any_io_executor executor, StubRoutes routes);
  ~StubServer();

  // Far sides for a RelayWire.
  RelayWire::Dialer dialer();
  // Every request is answered with this status instead; 0: as scripted.
  void SetError(int status);
  // Replies in turn begin anew.
  void Restart();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace assay::wires

#endif  // ASSAY_RUNNER_WIRES_STUB_SERVER_H_
