#ifndef ASSAY_RUNNER_RUN_REFERENCE_SURROUNDINGS_H_
#define ASSAY_RUNNER_RUN_REFERENCE_SURROUNDINGS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/run/variant_installation.h"
#include "runner/steps/surroundings.h"

namespace assay::run {

// The author's reference solution as steps act on it, to be measured: requests,
// statements and commands of sidecars, and nothing that disturbs or looks into
// it.
//
// Ownership: borrows what a VariantInstallation does.
// Threads: confined to the run's thread.
class ReferenceSurroundings final : public steps::Surroundings {
 public:
  ReferenceSurroundings(boost::asio::any_io_executor executor,
                        const assay::runner::v1::RunInput& input,
                        sandbox::Session& session, Chronicle& chronicle)
      : installation_(std::move(executor), input, session, chronicle) {}

  boost::asio::awaitable<Status> Start(const VariantInstallation::Cells& cells,
                                       Deadline deadline) {
    return installation_.Start(cells, -1, deadline);
  }

  Expected<steps::HttpClient*> Http(std::string_view service,
                                    std::string_view port) override;
  Expected<steps::Place> At(std::string_view service,
                            std::string_view port) override;
  boost::asio::awaitable<Expected<wires::SqlResult>> Sql(
      std::string target, std::string statement,
      std::vector<std::optional<std::string>> args, Deadline deadline) override;
  boost::asio::awaitable<Expected<wires::SqlResult>> Explain(
      std::string target, std::string statement,
      std::optional<std::vector<std::optional<std::string>>> args,
      std::size_t parameters, Deadline deadline) override;
  boost::asio::awaitable<Expected<sidecars::RedisReply>> Redis(
      std::string target, std::vector<std::string> arguments,
      Deadline deadline) override;
  boost::asio::awaitable<Expected<steps::CommandRun>> RunCommand(
      steps::CommandWanted wanted, Deadline deadline) override;
  boost::asio::awaitable<Expected<steps::CommandRun>> RunAgainst(
      int variant, steps::CommandWanted wanted, Deadline deadline) override;
  boost::asio::awaitable<Expected<std::unique_ptr<steps::Surroundings>>>
  Reference(int index, Deadline deadline) override;
  boost::asio::awaitable<std::optional<std::string>> DeathOf(
      std::string service) override;
  std::string Output(std::string_view) override { return ""; }
  telemetry::Reports::Sum Metric(
      const std::string&, const std::map<std::string, std::string>&) override {
    return {};
  }
  steps::Observations& observations() override { return seen_; }
  boost::asio::awaitable<Status> Kill(std::string target) override;
  boost::asio::awaitable<Status> Heal(std::string target,
                                      Deadline deadline) override;
  boost::asio::awaitable<Status> Disturb(
      assay::plan::v1::FaultStep fault, telemetry::TraceContext below) override;
  void SetUnderLoad(bool) override {}
  boost::asio::awaitable<void> WaitForReports(Deadline deadline) override;

 private:
  VariantInstallation installation_;
  steps::Observations seen_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_REFERENCE_SURROUNDINGS_H_
