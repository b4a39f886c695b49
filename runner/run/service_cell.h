#ifndef ASSAY_RUNNER_RUN_SERVICE_CELL_H_
#define ASSAY_RUNNER_RUN_SERVICE_CELL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "runner/run/live_process.h"
#include "runner/steps/http_client.h"
#include "runner/telemetry/log_channel.h"
#include "runner/wires/network.h"
#include "sandbox/cell/session.h"

namespace assay::run {

// One of the candidate's services in its cell: started, waited for, watched,
// started again.
//
// Ownership: borrows everything but its cell.
// Threads: confined to the run's thread.
// Errors: ours. What the candidate's program does is data.
class ServiceCell {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Builds the cell; nothing runs in it yet, so that wires can be laid first.
  static Expected<std::unique_ptr<ServiceCell>> Make(
      boost::asio::any_io_executor executor, sandbox::Session& session,
      std::uint32_t blueprint, const assay::plan::v1::Service& plan,
      telemetry::LogChannel& log, std::size_t keep);

  // Runs a process of ours in the cell, before the program; what went wrong,
  // as a sentence.
  boost::asio::awaitable<Expected<std::string>> RunBefore(std::uint32_t process,
                                                          Deadline deadline);
  Status StartProgram();
  // Why the service cannot be talked to, as a sentence; empty: it is ready.
  boost::asio::awaitable<std::string> WaitReady(Deadline deadline);
  // Ends everything that runs in the cell; with another signal than SIGKILL its
  // first process has the plan's grace to end by itself.
  boost::asio::awaitable<Status> Stop(int signal = 9);
  // Asks the program to end, without waiting; StopGently then gives it the rest
  // of `stop_grace` before everything is ended.
  void AskToStop();
  boost::asio::awaitable<Status> StopGently();
  // Freezes every process of the cell, or lets them go on.
  Status Pause(bool pause) { return pause ? cell_.Freeze() : cell_.Thaw(); }

  // Kills everything in the cell, which is taken down behind our back; the
  // object is of no use afterwards.
  Status Discard() { return cell_.Discard(); }

  bool alive() const { return program_ && !program_->ended(); }
  LiveProcess* program() { return program_.get(); }
  const assay::plan::v1::Service& plan() const { return plan_; }
  wires::Network& network() { return *network_; }
  // The same as steps and commands reach it: through wires, where the run laid
  // some in front of its ports.
  wires::FrontNetwork& front() { return front_; }
  // The number of the main port (empty name) or a named one.
  Expected<std::uint16_t> PortOf(std::string_view name) const;
  // The client of the main port (empty name) or a named one, by `front`.
  Expected<steps::HttpClient*> Http(std::string_view port);
  // What it wrote over all its starts, up to `keep` bytes of each.
  std::string Output(std::string_view source);
  // It was ended on purpose, by a step, and not started again.
  bool stopped() const { return stopped_; }

 private:
  ServiceCell(boost::asio::any_io_executor executor, sandbox::Cell cell,
              const assay::plan::v1::Service& plan, telemetry::LogChannel& log,
              std::size_t keep);
  // One try: empty when ready, else what it saw.
  boost::asio::awaitable<std::string> Probe(Deadline deadline);
  std::string DescribeEnd();
  boost::asio::awaitable<void> WaitEmpty();

  boost::asio::any_io_executor executor_;
  sandbox::Cell cell_;
  const assay::plan::v1::Service& plan_;
  telemetry::LogChannel& log_;
  const std::size_t keep_;
  std::unique_ptr<wires::CellNetwork> network_;
  wires::FrontNetwork front_;
  std::map<std::uint16_t, std::unique_ptr<steps::HttpClient>> clients_;
  // Of the main port itself: whether the service is ready is not for faults to
  // say.
  std::unique_ptr<steps::HttpClient> prober_;
  std::unique_ptr<LiveProcess> program_;
  std::string earlier_out_;
  std::string earlier_err_;
  bool stopped_ = false;
  // When the program was asked to stop.
  std::optional<Deadline> asked_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_SERVICE_CELL_H_
