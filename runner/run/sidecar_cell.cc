#include "runner/run/sidecar_cell.h"

#include <signal.h>

#include <utility>

#include "runner/run/blueprint_layout.h"
#include "runner/sidecars/redis_command.h"

namespace assay::run {

namespace asio = boost::asio;
using assay::plan::v1::Sidecar;

namespace {

constexpr std::uint16_t kPostgresPort = 5432;
constexpr std::uint16_t kRedisPort = 6379;
// Its words of readiness are among the first.
constexpr std::size_t kKeep = 64 << 10;
constexpr std::chrono::seconds kReap{2};

}  // namespace

Expected<std::unique_ptr<SidecarCell>> SidecarCell::Start(
    asio::any_io_executor executor, sandbox::Session& session,
    std::uint32_t blueprint, const Sidecar& plan, telemetry::LogChannel& log,
    Chronicle& chronicle) {
  ASSAY_ASSIGN_OR_RETURN(sandbox::Cell cell, session.StartCell(blueprint));
  std::unique_ptr<SidecarCell> started(new SidecarCell(
      std::move(executor), std::move(cell), plan, log, chronicle));
  ASSAY_RETURN_IF_ERROR(started->StartServer());
  return started;
}

std::unique_ptr<SidecarCell> SidecarCell::Adopt(
    asio::any_io_executor executor, sidecars::RunningSidecar running,
    const Sidecar& plan, telemetry::LogChannel& log, Chronicle& chronicle) {
  std::unique_ptr<SidecarCell> adopted(new SidecarCell(
      std::move(executor), std::move(running.cell), plan, log, chronicle));
  adopted->server_ = std::make_unique<LiveProcess>(
      adopted->executor_, std::move(running.server), log, kKeep);
  return adopted;
}

SidecarCell::SidecarCell(asio::any_io_executor executor, sandbox::Cell cell,
                         const Sidecar& plan, telemetry::LogChannel& log,
                         Chronicle& chronicle)
    : executor_(std::move(executor)),
      cell_(std::move(cell)),
      plan_(plan),
      log_(log),
      chronicle_(chronicle),
      network_(std::make_unique<wires::CellNetwork>(cell_)) {
  if (plan.kind() == Sidecar::KIND_POSTGRES) {
    database_ =
        std::make_unique<sidecars::PostgresDatabase>(*network_, kPostgresPort);
  }
}

std::uint16_t SidecarCell::port() const {
  return plan_.kind() == Sidecar::KIND_REDIS ? kRedisPort : kPostgresPort;
}

Status SidecarCell::StartServer() {
  ASSAY_ASSIGN_OR_RETURN(sandbox::Process process,
                         cell_.Start(kSidecarProcess));
  server_ =
      std::make_unique<LiveProcess>(executor_, std::move(process), log_, kKeep);
  return {};
}

// Servers say that they are ready: nothing needs to ask them again and again.
telemetry::OutputReader& SidecarCell::SpeaksOn() {
  return plan_.kind() == Sidecar::KIND_REDIS ? server_->out() : server_->err();
}

std::string_view SidecarCell::ReadyWords() const {
  return plan_.kind() == Sidecar::KIND_REDIS ? "Ready to accept connections"
                                             : "ready to accept connections";
}

bool SidecarCell::IsReady() {
  SpeaksOn().Drain();
  return SpeaksOn().text().find(ReadyWords()) != std::string::npos;
}

asio::awaitable<Status> SidecarCell::WaitReady(Deadline deadline) {
  const bool ready =
      co_await SpeaksOn().WaitFor(std::string(ReadyWords()), deadline);
  if (ready) co_return Status{};
  const std::string ended = server_->ended()
                                ? sandbox::Describe(server_->ended()->ending)
                                : "was not ready in time";
  co_return Unavailable("the sidecar ", plan_.name(), " ", ended, ": ",
                        server_->LastWords());
}

asio::awaitable<Status> SidecarCell::TakeSnapshot(Deadline deadline) {
  if (plan_.reset() != Sidecar::RESET_PER_CHECK) co_return Status{};
  if (database_ != nullptr)
    co_return co_await database_->TakeSnapshot(deadline);
  co_return co_await sidecars::RunRedisCommand(
      *network_, kRedisPort, sidecars::kRedisSnapshot, deadline);
}

asio::awaitable<Status> SidecarCell::Reset(Deadline deadline) {
  if (plan_.reset() != Sidecar::RESET_PER_CHECK) co_return Status{};
  ASSAY_CO_RETURN_IF_ERROR(co_await Heal(deadline));
  telemetry::Span span = chronicle_.tracer().Start(
      "reset " + plan_.name(), chronicle_.PhaseSpan("checks"));
  if (database_ == nullptr) {
    co_return co_await sidecars::RunRedisCommand(
        *network_, kRedisPort, sidecars::kRedisRestore, deadline);
  }
  auto restored = co_await database_->Restore(deadline);
  if (!restored) co_return std::unexpected(std::move(restored).error());
  span.Set("assay.reset.tables", restored->tables);
  if (restored->ended_transactions) {
    span.AddEvent("ended the service's open transactions");
    chronicle_.Note("sidecar." + plan_.name(),
                    "connections of the service with an open transaction were "
                    "ended, because they held locks during a reset");
  }
  co_return Status{};
}

asio::awaitable<Status> SidecarCell::Kill(int signal) {
  if (signal != SIGKILL) {
    ASSAY_CO_RETURN_IF_ERROR(server_->Signal(signal));
    co_await server_->WaitEnd(std::chrono::steady_clock::now() + kReap);
  }
  ASSAY_CO_RETURN_IF_ERROR(cell_.Kill());
  co_await server_->WaitEnd(std::chrono::steady_clock::now() + kReap);
  if (database_ != nullptr) database_->Disconnect();
  co_return Status{};
}

asio::awaitable<Status> SidecarCell::Heal(Deadline deadline) {
  if (!server_->ended()) co_return Status{};
  ASSAY_CO_RETURN_IF_ERROR(StartServer());
  co_return co_await WaitReady(deadline);
}

}  // namespace assay::run
