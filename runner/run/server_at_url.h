#ifndef ASSAY_RUNNER_RUN_SERVER_AT_URL_H_
#define ASSAY_RUNNER_RUN_SERVER_AT_URL_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "runner/steps/http_client.h"
#include "runner/wires/network.h"

namespace assay::run {

// A server of the author's that is there already, in place of cells
// (`RunInput.against_url`).
//
// Threads: confined to the run's thread.
class ServerAtUrl {
 public:
  // `http://localhost:3000`, on this machine and without a path.
  // INVALID_ARGUMENT: anything else.
  static Expected<std::unique_ptr<ServerAtUrl>> Make(
      boost::asio::any_io_executor executor, const std::string& url);

  wires::Network& network() { return network_; }
  std::uint16_t port() const { return port_; }
  steps::HttpClient& client() { return client_; }

 private:
  ServerAtUrl(boost::asio::any_io_executor executor, std::uint16_t port)
      : port_(port), client_(std::move(executor), network_, port) {}

  wires::HostNetwork network_;
  const std::uint16_t port_;
  steps::HttpClient client_;
};

// The first step of `check`, in flows and bursts too, that looks at or does
// something to what is not there with such a server: sidecars, output, taps,
// processes, cells. Null: all of it can be run.
const assay::plan::v1::Step* FindStepInNeedOfCells(
    const assay::plan::v1::Plan& plan, const assay::plan::v1::Check& check);

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_SERVER_AT_URL_H_
