#ifndef ASSAY_RUNNER_RUN_COMMAND_CELL_H_
#define ASSAY_RUNNER_RUN_COMMAND_CELL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <vector>

#include "runner/run/service_cell.h"
#include "runner/run/sidecar_cell.h"
#include "runner/run/traffic.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/log_channel.h"
#include "runner/wires/http_tap.h"
#include "runner/wires/relay.h"
#include "sandbox/cell/session.h"

namespace assay::run {

// The cell of a `command` or `mutants` step (blueprint_layout.h): wires to the
// services and sidecars stand where a service finds them, and nothing else is
// in reach.
//
// Ownership: owns the cell, which ends with it; borrows what wires lead to.
// Threads: confined to the run's thread.
// Errors: ours. What the command does is data.
class CommandCell {
 public:
  static Expected<std::unique_ptr<CommandCell>> Make(
      boost::asio::any_io_executor executor, sandbox::Session& session,
      std::uint32_t blueprint);
  ~CommandCell();

  // `traffic` is told of the requests; null: nobody is.
  Status Reach(ServiceCell& service, Traffic* traffic);
  Status Reach(SidecarCell& sidecar);

  // Fills the work directory if `wanted` says so, runs the command, ends
  // whatever it left running, and reads the reports.
  boost::asio::awaitable<Expected<steps::CommandRun>> Run(
      steps::CommandWanted wanted, telemetry::LogChannel& log,
      steps::Surroundings::Deadline deadline);

 private:
  CommandCell(boost::asio::any_io_executor executor, sandbox::Cell cell);
  Status Wire(std::uint16_t port, wires::Network& target,
              std::uint16_t target_port);
  boost::asio::awaitable<Status> Fill(steps::Surroundings::Deadline deadline);
  boost::asio::awaitable<Status> Collect(steps::CommandRun& run);

  boost::asio::any_io_executor executor_;
  sandbox::Cell cell_;
  std::unique_ptr<wires::CellNetwork> network_;
  std::vector<std::unique_ptr<wires::RelayWire>> wires_;
  std::vector<std::unique_ptr<wires::HttpTap>> taps_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_COMMAND_CELL_H_
