#include "runner/run/installation.h"

#include <algorithm>
#include <utility>

#include "runner/steps/step_runner.h"
#include "runner/wires/sql_text.h"
#include "runner/wires/statement_span.h"

namespace assay::run {

namespace asio = boost::asio;
using assay::plan::v1::Service;
using assay::plan::v1::Sidecar;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A process is reaped some microseconds after its sockets closed; a busy
// machine may need longer.
constexpr milliseconds kNewsOfDeath{100};

bool ControlsTransaction(const std::string& operation) {
  for (const std::string_view name :
       {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT",
        "RELEASE", "SET", "DISCARD", "DEALLOCATE"}) {
    if (operation == name) return true;
  }
  return false;
}

}  // namespace

Installation::Installation(asio::any_io_executor executor,
                           const assay::runner::v1::RunInput& input,
                           sandbox::Session& session, Chronicle& chronicle)
    : executor_(std::move(executor)),
      input_(input),
      session_(session),
      chronicle_(chronicle) {}

Installation::~Installation() {
  // Taps tell of connections that end with them.
  gone_ = true;
}

Status Installation::StartSidecars() {
  for (int i = 0; i < input_.plan().sidecars_size(); ++i) {
    if (i >= input_.blueprints().sidecars_size()) {
      return Internal("the run was given no blueprint for sidecar ", i);
    }
    ASSAY_ASSIGN_OR_RETURN(
        auto sidecar,
        SidecarCell::Start(
            executor_, session_,
            static_cast<std::uint32_t>(input_.blueprints().sidecars(i)),
            input_.plan().sidecars(i), chronicle_));
    sidecars_.push_back(std::move(sidecar));
  }
  return {};
}

asio::awaitable<Status> Installation::WaitSidecars(Deadline deadline) {
  for (const auto& sidecar : sidecars_) {
    ASSAY_CO_RETURN_IF_ERROR(co_await sidecar->WaitReady(deadline));
  }
  co_return Status{};
}

Status Installation::MakeServices() {
  const auto keep =
      static_cast<std::size_t>(input_.plan().limits().log_bytes());
  for (int i = 0; i < input_.plan().services_size(); ++i) {
    if (i >= input_.blueprints().services_size()) {
      return Internal("the run was given no blueprint for service ", i);
    }
    ASSAY_ASSIGN_OR_RETURN(
        auto service,
        ServiceCell::Make(
            executor_, session_,
            static_cast<std::uint32_t>(input_.blueprints().services(i)),
            input_.plan().services(i), chronicle_, keep));
    ASSAY_RETURN_IF_ERROR(LayWires(*service));
    services_.push_back(std::move(service));
  }
  return {};
}

Status Installation::LayWires(ServiceCell& service) {
  for (const auto& sidecar : sidecars_) {
    const Sidecar& plan = sidecar->plan();
    ASSAY_ASSIGN_OR_RETURN(
        wires::UniqueFd listening,
        service.network().Listen(static_cast<std::uint16_t>(plan.port())));
    Wire wire{.sidecar = plan.name()};
    if (plan.tapped() && plan.kind() == Sidecar::KIND_POSTGRES) {
      wire.tap = std::make_unique<wires::PostgresTap>(
          executor_, std::move(listening), sidecar->network(), sidecar->port(),
          static_cast<wires::PostgresListener&>(*this));
    } else {
      wire.relay = std::make_unique<wires::RelayWire>(
          executor_, std::move(listening), sidecar->network(), sidecar->port(),
          nullptr);
    }
    wires_.push_back(std::move(wire));
  }
  return {};
}

Status Installation::StartServices() {
  for (const auto& service : services_) {
    ASSAY_RETURN_IF_ERROR(service->StartProgram());
  }
  return {};
}

asio::awaitable<std::string> Installation::WaitServices(Deadline deadline) {
  for (const auto& service : services_) {
    std::string problem = co_await service->WaitReady(deadline);
    if (!problem.empty()) {
      co_return "the " + service->plan().name() +
          (service->plan().name() == "service" ? " " : " service ") + problem;
    }
  }
  co_return "";
}

asio::awaitable<Status> Installation::TakeSnapshots(Deadline deadline) {
  for (const auto& sidecar : sidecars_) {
    ASSAY_CO_RETURN_IF_ERROR(co_await sidecar->TakeSnapshot(deadline));
  }
  co_return Status{};
}

asio::awaitable<Expected<std::string>> Installation::Prepare(
    bool first, Deadline deadline) {
  if (!first) {
    for (const auto& sidecar : sidecars_) {
      ASSAY_CO_RETURN_IF_ERROR(co_await sidecar->Reset(deadline));
    }
  }
  for (const auto& service : services_) {
    const bool anyway =
        !first && service->plan().restart() == Service::RESTART_PER_CHECK;
    if (service->alive() && !anyway) continue;
    ASSAY_CO_RETURN_IF_ERROR(co_await service->Stop());
    ASSAY_CO_RETURN_IF_ERROR(service->StartProgram());
    std::string problem = co_await service->WaitReady(deadline);
    if (!problem.empty()) co_return "the service, started again, " + problem;
  }
  seen_ = {};
  co_return std::string();
}

std::optional<std::string> Installation::FindDeath() {
  for (const auto& service : services_) {
    if (service->program() == nullptr || service->alive() ||
        service->stopped()) {
      continue;
    }
    return "the service " +
           sandbox::Describe(service->program()->ended()->ending);
  }
  return std::nullopt;
}

void Installation::DrainOutput() {
  for (const auto& service : services_) {
    if (service->program() == nullptr) continue;
    service->program()->out().Drain();
    service->program()->err().Drain();
  }
}

ServiceCell* Installation::FindService(std::string_view name) {
  if (name.empty() && !services_.empty()) return services_.front().get();
  for (const auto& service : services_) {
    if (service->plan().name() == name) return service.get();
  }
  return nullptr;
}

SidecarCell* Installation::FindSidecar(std::string_view name) {
  for (const auto& sidecar : sidecars_) {
    if (sidecar->plan().name() == name) return sidecar.get();
  }
  return nullptr;
}

Expected<steps::HttpClient*> Installation::Http(std::string_view service,
                                                std::string_view port) {
  ServiceCell* found = FindService(service);
  if (found == nullptr) return NotFound("there is no service ", service);
  return found->Http(port);
}

asio::awaitable<Expected<wires::SqlResult>> Installation::Sql(
    std::string target, std::string statement,
    std::vector<std::optional<std::string>> args, Deadline deadline) {
  SidecarCell* found = FindSidecar(target);
  if (found == nullptr || found->postgres() == nullptr) {
    co_return NotFound("there is no PostgreSQL sidecar ", target);
  }
  co_return co_await found->postgres()->Read(std::move(statement),
                                             std::move(args), deadline);
}

asio::awaitable<std::optional<std::string>> Installation::DeathOf(
    std::string name) {
  ServiceCell* found = FindService(name);
  if (found == nullptr || found->program() == nullptr) co_return std::nullopt;
  LiveProcess& program = *found->program();
  const bool ended =
      co_await program.WaitEnd(steady_clock::now() + kNewsOfDeath);
  if (!ended) co_return std::nullopt;
  co_return sandbox::Describe(program.ended()->ending);
}

std::string Installation::Output(std::string_view source) {
  std::string text;
  if (source != "stdout" && source != "stderr") return text;
  for (const auto& service : services_) text += service->Output(source);
  return text;
}

asio::awaitable<Status> Installation::Kill(std::string target) {
  if (SidecarCell* sidecar = FindSidecar(target)) {
    co_return co_await sidecar->Kill();
  }
  ServiceCell* service = FindService(target);
  if (service == nullptr) co_return NotFound("there is no target ", target);
  co_return co_await service->Stop();
}

asio::awaitable<Status> Installation::Heal(std::string target,
                                           Deadline deadline) {
  if (SidecarCell* sidecar = FindSidecar(target)) {
    co_return co_await sidecar->Heal(deadline);
  }
  ServiceCell* service = FindService(target);
  if (service == nullptr) co_return NotFound("there is no target ", target);
  if (service->alive()) co_return Status{};
  ASSAY_CO_RETURN_IF_ERROR(service->StartProgram());
  const std::string problem = co_await service->WaitReady(deadline);
  if (!problem.empty()) {
    co_return FailedPrecondition("the service, started again, ", problem);
  }
  co_return Status{};
}

std::uint64_t Installation::Mark() { return chronicle_.correlation().Mark(); }

void Installation::OnPostgres(int connection, const std::string& database,
                              const wires::PostgresEvent& event) {
  if (gone_) return;
  if (const auto* statement = std::get_if<wires::Statement>(&event)) {
    return OnStatement(database, *statement);
  }
  std::string note;
  if (const auto* fell = std::get_if<wires::FellBack>(&event)) {
    note = "connection " + std::to_string(connection) +
           ": statements are not seen any more, because " + fell->reason;
  } else if (const auto* failed =
                 std::get_if<wires::ConnectionFailed>(&event)) {
    note = "connection " + std::to_string(connection) + ": " +
           failed->error.message + " (SQLSTATE " + failed->error.code + ")";
  } else {
    return;
  }
  chronicle_.Note("wire.postgres", note);
}

void Installation::OnStatement(const std::string& database,
                               const wires::Statement& statement) {
  const wires::SqlText sql = wires::ReadSql(statement.text);
  const auto place = chronicle_.correlation().At(statement.begin.mark);
  wires::RecordStatement(chronicle_.tracer(), "postgres", database, statement,
                         sql, place);
  if (seen_.statements.size() >= steps::Observations::kMost) {
    ++seen_.dropped;
    return;
  }
  seen_.statements.push_back(
      {.request = place.request,
       .normalised = sql.normalised,
       .summary = sql.Summary(),
       .transaction_control = ControlsTransaction(sql.operation),
       .failed = !statement.error_code.empty()});
}

}  // namespace assay::run
