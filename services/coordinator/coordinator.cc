#include "services/coordinator/coordinator.h"

#include <spdlog/spdlog.h>
#include <utility>

#include "services/coordinator/core.h"
#include "services/coordinator/domain_services.h"
#include "services/coordinator/ground.h"
#include "services/coordinator/ports.h"
#include "services/gateway/one_shot.h"
#include "services/gateway/spawn.h"
#include "services/maintenance/housekeeper.h"

namespace assay::coordinator {

namespace asio = boost::asio;

// In the order in which each needs the ones before it.
struct Coordinator::Parts {
  Parts(asio::any_io_executor strand, const Clock& clock, Options options,
        Ground ground)
      : core(std::move(strand), clock, std::move(options), std::move(ground)) {}

  asio::awaitable<void> Scan();

  Core core;
  DomainServices services{core};
  Ports ports{core, services};
  maintenance::Housekeeper housekeeper{
      core.strand,
      core.store,
      core.repositories,
      core.repository_queue,
      {.erase_expired =
           [this] { return services.records_service.EraseExpired(); },
       .repair_refs = [this] { return core.submission_refs.RepairAll(); },
       .data_dir = core.ground.directory->path(),
       .interval = core.options.housekeeping_interval,
       .node = core.node}};
  bool scanning = false;
  gateway::OneShot<bool> scanned_all;
};

// What may be compared while requests are answered.
asio::awaitable<void> Coordinator::Parts::Scan() {
  const Status refs = co_await core.submission_refs.RepairAll();
  if (!refs) spdlog::error("submission refs: {}", refs.error().message);
  const auto scanned = co_await core.reconciler.ScanRepositories();
  if (!scanned)
    spdlog::error("scan of repositories: {}", scanned.error().message);
  const auto erased = co_await services.records_service.EraseExpired();
  if (!erased) spdlog::error("retention: {}", erased.error().message);
  scanned_all.Set(true);
}

asio::awaitable<Expected<std::unique_ptr<Coordinator>>> Coordinator::Start(
    asio::any_io_executor strand, const Clock& clock, Options options) {
  auto ground = OpenGround(strand, options, clock);
  if (!ground) co_return std::unexpected(std::move(ground).error());
  if (Status shared = co_await ShareReceiptKey(*ground); !shared)
    co_return std::unexpected(std::move(shared).error());
  auto parts = std::make_unique<Parts>(strand, clock, std::move(options),
                                       *std::move(ground));
  Status started = co_await parts->core.Settle();
  if (started) started = parts->ports.StartGrpc();
  std::unique_ptr<Coordinator> coordinator(new Coordinator(std::move(parts)));
  if (!started) {
    co_await coordinator->Stop();
    co_return std::unexpected(std::move(started).error());
  }
  Parts& running = *coordinator->parts_;
  running.ports.ServeWeb();
  running.core.StartMembership(running.ports.grpc->port());
  running.scanning = true;
  gateway::Spawn(strand, "scan", running.Scan());
  running.housekeeper.Start();
  co_return coordinator;
}

Coordinator::Coordinator(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}
Coordinator::~Coordinator() = default;

int Coordinator::grpc_port() const { return parts_->ports.grpc->port(); }
int Coordinator::web_port() const { return parts_->core.ground.web->port(); }
int Coordinator::local_grpc_port() const {
  return parts_->ports.grpc->local_port();
}
const std::string& Coordinator::public_url() const {
  return parts_->core.public_url;
}
const rpc::MethodRegistry& Coordinator::methods() const {
  return parts_->services.methods;
}

Status Coordinator::ReloadCertificate() {
  const auto& tls = parts_->core.ground.tls;
  return tls == nullptr ? Status() : tls->Reload();
}

asio::awaitable<void> Coordinator::Stop() {
  Core& core = parts_->core;
  parts_->ports.AnnounceDrain();
  core.dispatcher.Drain();
  core.feed.Close();
  co_await core.ground.web->Drain(core.options.grace);
  if (parts_->scanning) {
    core.submission_refs.Stop();
    core.reconciler.Stop();
    co_await parts_->scanned_all.Take();
    co_await parts_->housekeeper.Stop();
  }
  co_await core.Stop();
  if (parts_->ports.grpc) co_await parts_->ports.StopGrpc();
}

}  // namespace assay::coordinator
