#ifndef ASSAY_RUNNER_RUN_VARIANT_INSTALLATION_H_
#define ASSAY_RUNNER_RUN_VARIANT_INSTALLATION_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "assay/runner/v1/run_input.pb.h"
#include "runner/run/chronicle.h"
#include "runner/run/command_cell.h"
#include "runner/run/quiet_process.h"
#include "runner/run/service_cell.h"
#include "runner/run/sidecar_cell.h"
#include "runner/wires/relay.h"
#include "sandbox/cell/session.h"

namespace assay::run {

// The author's reference solution, or one of its broken variants, in place of
// the candidate's services, with sidecars fresh from their template. Nothing of
// it is told: its logs are the author's.
//
// Ownership: borrows everything but its cells, which end with it.
// Threads: confined to the run's thread.
// Errors: FAILED_PRECONDITION, the author's, for one that does not come up.
class VariantInstallation {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  using Cells = assay::runner::v1::RunInput::Blueprints::Mutants;

  VariantInstallation(boost::asio::any_io_executor executor,
                      const assay::runner::v1::RunInput& input,
                      sandbox::Session& session, Chronicle& chronicle);
  ~VariantInstallation();

  // `variant`: -1 is the reference.
  boost::asio::awaitable<Status> Start(const Cells& cells, int variant,
                                       Deadline deadline);
  // By name; null: there is none. An empty name is the first service.
  ServiceCell* FindService(std::string_view name);
  SidecarCell* FindSidecar(std::string_view name);
  // Lays wires from the cell of the candidate's tests.
  Status LetReach(CommandCell& tests);

 private:
  Status StartSidecars();
  // Its files, built.
  boost::asio::awaitable<Status> Fill(ServiceCell& service, int variant,
                                      Deadline deadline);
  Status LayWires(ServiceCell& service);

  boost::asio::any_io_executor executor_;
  const assay::runner::v1::RunInput& input_;
  sandbox::Session& session_;
  Chronicle& chronicle_;
  SilentLog log_;
  std::vector<std::unique_ptr<SidecarCell>> sidecars_;
  std::vector<std::unique_ptr<ServiceCell>> services_;
  std::vector<std::unique_ptr<wires::RelayWire>> wires_;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_VARIANT_INSTALLATION_H_
