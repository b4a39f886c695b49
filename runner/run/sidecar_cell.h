#ifndef ASSAY_RUNNER_RUN_SIDECAR_CELL_H_
#define ASSAY_RUNNER_RUN_SIDECAR_CELL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "assay/plan/v1/plan.pb.h"
#include "runner/run/chronicle.h"
#include "runner/run/live_process.h"
#include "runner/sidecars/handover.h"
#include "runner/sidecars/postgres_database.h"
#include "runner/wires/network.h"
#include "sandbox/cell/session.h"

namespace assay::run {

// A sidecar of a run in its cell: started, waited for, reset, killed, healed.
//
// Ownership: borrows everything but its cell.
// Threads: confined to the run's thread.
// Errors: ours, since nothing in here is the candidate's.
class SidecarCell {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  static Expected<std::unique_ptr<SidecarCell>> Start(
      boost::asio::any_io_executor executor, sandbox::Session& session,
      std::uint32_t blueprint, const assay::plan::v1::Sidecar& plan,
      telemetry::LogChannel& log, Chronicle& chronicle);

  // One that was started before this run.
  static std::unique_ptr<SidecarCell> Adopt(
      boost::asio::any_io_executor executor, sidecars::RunningSidecar running,
      const assay::plan::v1::Sidecar& plan, telemetry::LogChannel& log,
      Chronicle& chronicle);

  // Whether it has said so by now.
  bool IsReady();
  boost::asio::awaitable<Status> WaitReady(Deadline deadline);
  // Remembers the contents, for Reset. Only where the plan resets per check.
  boost::asio::awaitable<Status> TakeSnapshot(Deadline deadline);
  boost::asio::awaitable<Status> Reset(Deadline deadline);
  // Ends the server by a signal, SIGKILL at the latest; its wire refuses from
  // then on.
  boost::asio::awaitable<Status> Kill(int signal);
  // Freezes every process of the cell, or lets them go on.
  Status Pause(bool pause) { return pause ? cell_.Freeze() : cell_.Thaw(); }
  // Starts the server again if it does not run, and waits until it is ready.
  boost::asio::awaitable<Status> Heal(Deadline deadline);

  // Kills everything in the cell, which is taken down behind our back; the
  // object is of no use afterwards.
  Status Discard() { return cell_.Discard(); }

  const assay::plan::v1::Sidecar& plan() const { return plan_; }
  wires::Network& network() { return *network_; }
  // The port inside this cell.
  std::uint16_t port() const;
  // Null for other kinds.
  sidecars::PostgresDatabase* postgres() { return database_.get(); }

 private:
  SidecarCell(boost::asio::any_io_executor executor, sandbox::Cell cell,
              const assay::plan::v1::Sidecar& plan, telemetry::LogChannel& log,
              Chronicle& chronicle);
  Status StartServer();
  telemetry::OutputReader& SpeaksOn();
  std::string_view ReadyWords() const;

  boost::asio::any_io_executor executor_;
  sandbox::Cell cell_;
  const assay::plan::v1::Sidecar& plan_;
  telemetry::LogChannel& log_;
  Chronicle& chronicle_;
  std::unique_ptr<wires::CellNetwork> network_;
  std::unique_ptr<LiveProcess> server_;
  std::unique_ptr<sidecars::PostgresDatabase> database_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_SIDECAR_CELL_H_
