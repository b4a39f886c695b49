#ifndef ASSAY_RUNNER_RUN_WIRING_H_
#define ASSAY_RUNNER_RUN_WIRING_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/run/traffic.h"
#include "runner/wires/stub_server.h"

namespace assay::run {

// The wires of a run and the upstream stubs at the end of some of them, by the
// name of what they lead to.
//
// Ownership: owns wires and stubs; borrows networks, which outlive it.
// Threads: confined to the run's thread.
class Wiring {
 public:
  Wiring(boost::asio::any_io_executor executor, Traffic& traffic);
  ~Wiring();

  // From `from`, where it listens at the sidecar's planned port, to `port` of
  // `to`; tapped as the plan says.
  Status LaySidecar(wires::Network& from,
                    const assay::plan::v1::Sidecar& sidecar, wires::Network& to,
                    std::uint16_t port);
  // From `from` to a service's `port`, at the same port, with an HTTP tap.
  // `enters`: see Traffic.
  Status LayService(wires::Network& from, const std::string& name,
                    wires::Network& to, std::uint16_t port, bool enters);
  // In front of a service's `port` for whoever comes from outside of its cell:
  // the port to connect to instead. Bytes only, since steps record their own
  // requests.
  Expected<std::uint16_t> LayFront(wires::Network& cell,
                                   const std::string& name, std::uint16_t port);
  Status LayUpstream(wires::Network& from,
                     const assay::plan::v1::Upstream& upstream);

  bool LeadsTo(const std::string& target) const {
    return wires_.contains(target);
  }
  // Of every wire to `target`. INVALID_ARGUMENT: it cannot do that.
  Status SetFaults(const std::string& target, const wires::WireFaults& faults,
                   std::uint64_t seed);
  void DropConnections(const std::string& target);
  // Stubs forget what they were asked.
  void RestartStubs();

 private:
  struct Wire {
    std::unique_ptr<wires::PostgresTap> postgres;
    std::unique_ptr<wires::RedisTap> redis;
    std::unique_ptr<wires::HttpTap> http;
    std::unique_ptr<wires::RelayWire> raw;

    wires::RelayWire& relay() {
      if (postgres != nullptr) return postgres->wire();
      if (redis != nullptr) return redis->wire();
      return http != nullptr ? http->wire() : *raw;
    }
  };
  void Keep(const std::string& target, Wire wire, wires::Network& from,
            std::uint16_t port);

  boost::asio::any_io_executor executor_;
  Traffic& traffic_;
  // Several services may call one stub, which counts for all of them.
  std::map<std::string, std::unique_ptr<wires::StubServer>> stubs_;
  std::map<std::string, std::vector<Wire>> wires_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_WIRING_H_
