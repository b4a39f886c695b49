#ifndef ASSAY_RUNNER_RUN_INSTALLATION_H_
#define ASSAY_RUNNER_RUN_INSTALLATION_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/runner/v1/run_input.pb.h"
#include "runner/run/chronicle.h"
#include "runner/run/disturbances.h"
#include "runner/run/server_at_url.h"
#include "runner/run/service_cell.h"
#include "runner/run/sidecar_cell.h"
#include "runner/run/traffic.h"
#include "runner/run/wiring.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/reports.h"
#include "runner/wires/otlp_receiver.h"
#include "sandbox/cell/session.h"

namespace assay::run {

// The candidate's services and the suite's sidecars, each in its cell, and the
// wires between them: what steps act on.
//
// Ownership: borrows everything it is given; owns the cells.
// Threads: confined to the run's thread.
class Installation final : public steps::Surroundings {
 public:
  Installation(boost::asio::any_io_executor executor,
               const assay::runner::v1::RunInput& input,
               sandbox::Session& session, Chronicle& chronicle);
  ~Installation() override;

  // Instead of all below: steps talk to a server that is there already.
  Status UseServerAt(const std::string& url);
  // Starts the sidecars' cells and servers, without waiting for them; or takes
  // over those that `handed` (of sidecars::HandOver) holds.
  Status StartSidecars(sandbox::UniqueFd handed);
  // Whether all have said so by now.
  bool SidecarsAreReady();
  boost::asio::awaitable<Status> WaitSidecars(Deadline deadline);
  // Builds the services' cells and lays their wires.
  Status MakeServices();
  Status StartServices();
  // Why one of them cannot be talked to; empty: all are ready.
  boost::asio::awaitable<std::string> WaitServices(Deadline deadline);
  boost::asio::awaitable<Status> TakeSnapshots(Deadline deadline);

  // Before a check: contents as they were when the services got ready, dead
  // services (all, with `restart: per-check`) started again, nothing observed.
  // A sentence if one does not come up.
  boost::asio::awaitable<Expected<std::string>> Prepare(bool first,
                                                        Deadline deadline);
  // Lets services end by themselves, each within its `stop_grace`: what they
  // hold back is written then.
  boost::asio::awaitable<Status> StopServices();
  // A service that has died by itself, with how it ended: "the service exited
  // with code 3".
  std::optional<std::string> FindDeath();
  // Reads what is still in the services' pipes.
  void DrainOutput();
  const std::vector<std::unique_ptr<ServiceCell>>& services() const {
    return services_;
  }

  // steps::Surroundings
  Expected<steps::HttpClient*> Http(std::string_view service,
                                    std::string_view port) override;
  Expected<steps::Place> At(std::string_view service,
                            std::string_view port) override;
  boost::asio::awaitable<Expected<sidecars::RedisReply>> Redis(
      std::string target, std::vector<std::string> arguments,
      Deadline deadline) override;
  boost::asio::awaitable<Expected<wires::SqlResult>> Sql(
      std::string target, std::string statement,
      std::vector<std::optional<std::string>> args, Deadline deadline) override;
  boost::asio::awaitable<Expected<wires::SqlResult>> Explain(
      std::string target, std::string statement,
      std::optional<std::vector<std::optional<std::string>>> args,
      std::size_t parameters, Deadline deadline) override;
  boost::asio::awaitable<Expected<steps::CommandRun>> RunCommand(
      steps::CommandWanted wanted, Deadline deadline) override;
  boost::asio::awaitable<Expected<steps::CommandRun>> RunAgainst(
      int variant, steps::CommandWanted wanted, Deadline deadline) override;
  boost::asio::awaitable<Expected<std::unique_ptr<steps::Surroundings>>>
  Reference(int index, Deadline deadline) override;
  boost::asio::awaitable<std::optional<std::string>> DeathOf(
      std::string service) override;
  std::string Output(std::string_view source) override;
  telemetry::Reports::Sum Metric(
      const std::string& name,
      const std::map<std::string, std::string>& labels) override {
    return reports_.Find(name, labels);
  }
  steps::Observations& observations() override { return seen_; }
  boost::asio::awaitable<Status> Kill(std::string target) override;
  boost::asio::awaitable<Status> Heal(std::string target,
                                      Deadline deadline) override;
  boost::asio::awaitable<Status> Disturb(
      assay::plan::v1::FaultStep fault, telemetry::TraceContext below) override;
  void SetUnderLoad(bool under_load) override {
    traffic_.SetSampling(under_load);
  }
  boost::asio::awaitable<void> WaitForReports(Deadline deadline) override;

 private:
  Status TakeSidecars(sandbox::UniqueFd handed);
  static boost::asio::awaitable<void> HealLater(Installation* self,
                                                std::string target,
                                                std::weak_ptr<int> alive);
  void OnSpan(const otlp::v1::Span& span);
  boost::asio::awaitable<Status> KillProcesses(std::string target, int signal);
  Status Pause(const std::string& target, bool pause);
  Status LayWires(ServiceCell& service);
  // Wires that stand between this service and the suite's own requests.
  Status LayFronts(ServiceCell& service);
  Status ListenForReports(ServiceCell& service);
  ServiceCell* FindService(std::string_view name);
  SidecarCell* FindSidecar(std::string_view name);

  boost::asio::any_io_executor executor_;
  const assay::runner::v1::RunInput& input_;
  sandbox::Session& session_;
  Chronicle& chronicle_;
  steps::Observations seen_;
  std::vector<std::unique_ptr<SidecarCell>> sidecars_;
  std::vector<std::unique_ptr<ServiceCell>> services_;
  std::unique_ptr<ServerAtUrl> at_url_;
  // Its wires lead to the cells above.
  Traffic traffic_;
  Wiring wiring_;
  Disturbances disturbances_;
  telemetry::Reports reports_;
  std::vector<std::unique_ptr<wires::OtlpReceiver>> receivers_;
  // Cancelled when the service has reported something.
  boost::asio::steady_timer news_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_INSTALLATION_H_
