#include "runner/run/variant_installation.h"

#include <utility>

#include "runner/run/blueprint_layout.h"

namespace assay::run {

namespace asio = boost::asio;

VariantInstallation::VariantInstallation(
    asio::any_io_executor executor, const assay::runner::v1::RunInput& input,
    sandbox::Session& session, Chronicle& chronicle)
    : executor_(std::move(executor)),
      input_(input),
      session_(session),
      chronicle_(chronicle),
      log_(executor_) {}

VariantInstallation::~VariantInstallation() {
  wires_.clear();
  // If the launcher is gone, so are the cells.
  for (const auto& service : services_) (void)service->Discard();
  for (const auto& sidecar : sidecars_) (void)sidecar->Discard();
}

asio::awaitable<Status> VariantInstallation::Start(const Cells& cells,
                                                   int variant,
                                                   Deadline deadline) {
  ASSAY_CO_RETURN_IF_ERROR(StartSidecars());
  const auto& plan = input_.plan();
  if (cells.services_size() != plan.services_size()) {
    co_return Internal("the run was given ", cells.services_size(),
                       " blueprints for the services of variants");
  }
  for (int i = 0; i < plan.services_size(); ++i) {
    ASSAY_CO_ASSIGN_OR_RETURN(
        auto service,
        ServiceCell::Make(executor_, session_,
                          static_cast<std::uint32_t>(cells.services(i)),
                          plan.services(i), log_.channel(), 0));
    services_.push_back(std::move(service));
    ASSAY_CO_RETURN_IF_ERROR(
        co_await Fill(*services_.back(), variant, deadline));
    ASSAY_CO_RETURN_IF_ERROR(LayWires(*services_.back()));
  }
  for (const auto& sidecar : sidecars_) {
    ASSAY_CO_RETURN_IF_ERROR(co_await sidecar->WaitReady(deadline));
  }
  for (const auto& service : services_) {
    ASSAY_CO_RETURN_IF_ERROR(service->StartProgram());
  }
  for (const auto& service : services_) {
    const std::string problem = co_await service->WaitReady(deadline);
    if (!problem.empty()) {
      co_return FailedPrecondition("its service ", problem);
    }
  }
  co_return Status{};
}

Status VariantInstallation::StartSidecars() {
  const auto& blueprints = input_.blueprints().sidecars();
  for (int i = 0; i < input_.plan().sidecars_size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(
        auto sidecar,
        SidecarCell::Start(
            executor_, session_, static_cast<std::uint32_t>(blueprints.at(i)),
            input_.plan().sidecars(i), log_.channel(), chronicle_));
    sidecars_.push_back(std::move(sidecar));
  }
  return {};
}

asio::awaitable<Status> VariantInstallation::Fill(ServiceCell& service,
                                                  int variant,
                                                  Deadline deadline) {
  std::uint32_t builds = 0;
  for (const auto& built : input_.plan().services())
    builds += built.has_build();
  // The reference, and then the variants.
  const std::uint32_t layout = kFirstVariantBuildProcess + builds + 1 +
                               static_cast<std::uint32_t>(variant);
  std::vector<std::uint32_t> processes = {kVariantsUnpackProcess, layout};
  for (std::uint32_t i = 0; i < builds; ++i) {
    processes.push_back(kFirstVariantBuildProcess + i);
  }
  for (const std::uint32_t process : processes) {
    ASSAY_CO_ASSIGN_OR_RETURN(const std::string problem,
                              co_await service.RunBefore(process, deadline));
    if (!problem.empty()) {
      co_return FailedPrecondition("it could not be built: ", problem);
    }
  }
  co_return Status{};
}

Status VariantInstallation::LayWires(ServiceCell& service) {
  for (const auto& sidecar : sidecars_) {
    ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening,
                           service.network().Listen(static_cast<std::uint16_t>(
                               sidecar->plan().port())));
    wires_.push_back(std::make_unique<wires::RelayWire>(
        executor_, std::move(listening), sidecar->network(), sidecar->port(),
        nullptr));
  }
  return {};
}

ServiceCell* VariantInstallation::FindService(std::string_view name) {
  for (const auto& service : services_) {
    if (name.empty() || service->plan().name() == name) return service.get();
  }
  return nullptr;
}

SidecarCell* VariantInstallation::FindSidecar(std::string_view name) {
  for (const auto& sidecar : sidecars_) {
    if (sidecar->plan().name() == name) return sidecar.get();
  }
  return nullptr;
}

Status VariantInstallation::LetReach(CommandCell& tests) {
  for (const auto& service : services_) {
    ASSAY_RETURN_IF_ERROR(tests.Reach(*service, nullptr));
  }
  for (const auto& sidecar : sidecars_) {
    ASSAY_RETURN_IF_ERROR(tests.Reach(*sidecar));
  }
  return {};
}

}  // namespace assay::run
