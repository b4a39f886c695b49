#include "runner/run/installation.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <utility>

#include "runner/run/base_scope.h"
#include "runner/run/command_cell.h"
#include "runner/run/disturbed_services.h"
#include "runner/run/reference_surroundings.h"
#include "runner/run/variant_installation.h"
#include "runner/sidecars/redis_command.h"
#include "runner/steps/step_runner.h"
#include "runner/wires/spawn.h"

namespace assay::run {

namespace asio = boost::asio;
using assay::plan::v1::Service;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A process is reaped some microseconds after its sockets closed; a busy
// machine may need longer.
constexpr milliseconds kNewsOfDeath{100};
// Of what is started again when a fault's time is up.
constexpr std::chrono::seconds kHealLimit{30};

int SignalOf(const std::string& argument_json) {
  for (const auto& [name, number] :
       {std::pair{"SIGTERM", SIGTERM}, std::pair{"SIGINT", SIGINT},
        std::pair{"SIGSEGV", SIGSEGV}}) {
    if (argument_json.find(name) != std::string::npos) return number;
  }
  return SIGKILL;
}

}  // namespace

Installation::Installation(asio::any_io_executor executor,
                           const assay::runner::v1::RunInput& input,
                           sandbox::Session& session, Chronicle& chronicle)
    : executor_(std::move(executor)),
      input_(input),
      session_(session),
      chronicle_(chronicle),
      traffic_(chronicle, seen_),
      wiring_(executor_, traffic_),
      disturbances_(executor_, wiring_, chronicle.tracer(), input.seed()),
      reports_(chronicle.tracer(), {.text_bytes = static_cast<std::size_t>(
                                        input.plan().limits().log_bytes())}),
      news_(executor_) {
  reports_.SetNews([this] { news_.cancel(); });
  reports_.SetLogSink(
      [this](const std::string& line) { chronicle_.Log("otlp").Append(line); });
  chronicle_.tracer().SetWatch(
      [this](const otlp::v1::Span& span) { OnSpan(span); });
}

Installation::~Installation() {
  // Taps tell of connections that end with them.
  traffic_.Stop();
  disturbances_.HealAll();
  chronicle_.tracer().SetWatch(nullptr);
}

void Installation::OnSpan(const otlp::v1::Span& span) {
  const bool observed = std::ranges::any_of(
      span.attributes(),
      [](const auto& pair) { return pair.key() == "assay.source"; });
  if (!observed) return;
  if (seen_.spans.size() >= steps::Observations::kSpans) {
    ++seen_.dropped_spans;
    return;
  }
  seen_.spans.push_back(span);
}

Status Installation::UseServerAt(const std::string& url) {
  ASSAY_ASSIGN_OR_RETURN(at_url_, ServerAtUrl::Make(executor_, url));
  return {};
}

Status Installation::StartSidecars(sandbox::UniqueFd handed) {
  if (handed) return TakeSidecars(std::move(handed));
  for (int i = 0; i < input_.plan().sidecars_size(); ++i) {
    if (i >= input_.blueprints().sidecars_size()) {
      return Internal("the run was given no blueprint for sidecar ", i);
    }
    ASSAY_ASSIGN_OR_RETURN(
        auto sidecar,
        SidecarCell::Start(
            executor_, session_,
            static_cast<std::uint32_t>(input_.blueprints().sidecars(i)),
            input_.plan().sidecars(i),
            chronicle_.Log("sidecar." + input_.plan().sidecars(i).name()),
            chronicle_));
    sidecars_.push_back(std::move(sidecar));
  }
  return {};
}

Status Installation::TakeSidecars(sandbox::UniqueFd handed) {
  ASSAY_ASSIGN_OR_RETURN(sidecars::RunningSidecars running,
                         sidecars::TakeOver(std::move(handed)));
  const auto& plans = input_.plan().sidecars();
  if (running.all.size() != static_cast<std::size_t>(plans.size())) {
    return Internal("the run was handed ", running.all.size(),
                    " sidecars, expected ", plans.size());
  }
  for (int i = 0; i < plans.size(); ++i) {
    sidecars_.push_back(SidecarCell::Adopt(
        executor_, std::move(running.all[static_cast<std::size_t>(i)]),
        plans[i], chronicle_.Log("sidecar." + plans[i].name()), chronicle_));
  }
  return {};
}

bool Installation::SidecarsAreReady() {
  return std::ranges::all_of(
      sidecars_, [](const auto& sidecar) { return sidecar->IsReady(); });
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
    const std::string& name = input_.plan().services(i).name();
    const bool only = name.empty() || name == "service";
    ASSAY_ASSIGN_OR_RETURN(
        auto service,
        ServiceCell::Make(
            executor_, session_,
            static_cast<std::uint32_t>(input_.blueprints().services(i)),
            input_.plan().services(i),
            chronicle_.Log(only ? "service" : "service." + name), keep));
    services_.push_back(std::move(service));
  }
  const std::set<std::string> disturbed = DisturbedServices(input_.plan());
  for (const auto& service : services_) {
    ASSAY_RETURN_IF_ERROR(LayWires(*service));
    if (disturbed.contains(service->plan().name())) {
      ASSAY_RETURN_IF_ERROR(LayFronts(*service));
    }
  }
  return {};
}

Status Installation::LayFronts(ServiceCell& service) {
  const Service& plan = service.plan();
  std::vector<std::uint16_t> ports = {static_cast<std::uint16_t>(plan.port())};
  for (const auto& [name, number] : plan.ports()) {
    ports.push_back(static_cast<std::uint16_t>(number));
  }
  for (const std::uint16_t port : ports) {
    ASSAY_ASSIGN_OR_RETURN(
        const std::uint16_t front,
        wiring_.LayFront(service.network(), plan.name(), port));
    service.front().Put(port, front);
  }
  return {};
}

Status Installation::LayWires(ServiceCell& service) {
  for (const auto& sidecar : sidecars_) {
    ASSAY_RETURN_IF_ERROR(wiring_.LaySidecar(service.network(), sidecar->plan(),
                                             sidecar->network(),
                                             sidecar->port()));
  }
  for (auto upstream : input_.plan().upstreams()) {
    ASSAY_ASSIGN_OR_RETURN(
        const nlohmann::json routes,
        suite::ExpandJsonText(upstream.routes_json(), BaseScope(input_)));
    upstream.set_routes_json(routes.dump());
    ASSAY_RETURN_IF_ERROR(wiring_.LayUpstream(service.network(), upstream));
  }
  // Its siblings, each where it would find it on one machine.
  for (const auto& other : services_) {
    if (other.get() == &service) continue;
    ASSAY_RETURN_IF_ERROR(wiring_.LayService(
        service.network(), other->plan().name(), other->network(),
        static_cast<std::uint16_t>(other->plan().port()), false));
  }
  return ListenForReports(service);
}

Status Installation::ListenForReports(ServiceCell& service) {
  const auto taken = [&](std::int32_t port) {
    const Service& plan = service.plan();
    return plan.port() == port ||
           std::ranges::any_of(plan.ports(), [&](const auto& entry) {
             return entry.second == port;
           });
  };
  auto& receiver =
      *receivers_.emplace_back(std::make_unique<wires::OtlpReceiver>(
          executor_, service.plan().name(), reports_));
  // A service that wants the port for itself has it.
  if (!taken(wires::kOtlpHttpPort)) {
    ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening,
                           service.network().Listen(wires::kOtlpHttpPort));
    receiver.ListenHttp(std::move(listening));
  }
  if (!taken(wires::kOtlpGrpcPort)) {
    ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening,
                           service.network().Listen(wires::kOtlpGrpcPort));
    receiver.ListenGrpc(std::move(listening));
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
  disturbances_.HealAll();
  wiring_.RestartStubs();
  if (!first) {
    for (const auto& sidecar : sidecars_) {
      ASSAY_CO_RETURN_IF_ERROR(co_await sidecar->Heal(deadline));
      ASSAY_CO_RETURN_IF_ERROR(co_await sidecar->Reset(deadline));
    }
  }
  for (const auto& service : services_) {
    const bool anyway =
        !first && service->plan().restart() == Service::RESTART_PER_CHECK;
    if (service->alive() && !anyway) continue;
    ASSAY_CO_RETURN_IF_ERROR(co_await service->StopGently());
    ASSAY_CO_RETURN_IF_ERROR(service->StartProgram());
    std::string problem = co_await service->WaitReady(deadline);
    if (!problem.empty()) co_return "the service, started again, " + problem;
  }
  seen_.BeginCheck();
  co_return std::string();
}

asio::awaitable<Status> Installation::StopServices() {
  for (const auto& service : services_) service->AskToStop();
  for (const auto& service : services_) {
    ASSAY_CO_RETURN_IF_ERROR(co_await service->StopGently());
  }
  co_return Status{};
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
  if (at_url_ != nullptr) return &at_url_->client();
  ServiceCell* found = FindService(service);
  if (found == nullptr) return NotFound("there is no service ", service);
  return found->Http(port);
}

Expected<steps::Place> Installation::At(std::string_view service,
                                        std::string_view port) {
  if (at_url_ != nullptr) {
    return steps::Place{&at_url_->network(), at_url_->port()};
  }
  ServiceCell* found = FindService(service);
  if (found == nullptr) return NotFound("there is no service ", service);
  ASSAY_ASSIGN_OR_RETURN(const std::uint16_t number, found->PortOf(port));
  return steps::Place{&found->front(), number};
}

asio::awaitable<Expected<sidecars::RedisReply>> Installation::Redis(
    std::string target, std::vector<std::string> arguments, Deadline deadline) {
  SidecarCell* found = FindSidecar(target);
  if (found == nullptr || found->postgres() != nullptr) {
    co_return NotFound("there is no Redis sidecar ", target);
  }
  co_return co_await sidecars::AskRedis(found->network(), found->port(),
                                        std::move(arguments), deadline);
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

asio::awaitable<Expected<wires::SqlResult>> Installation::Explain(
    std::string target, std::string statement,
    std::optional<std::vector<std::optional<std::string>>> args,
    std::size_t parameters, Deadline deadline) {
  SidecarCell* found = FindSidecar(target);
  if (found == nullptr || found->postgres() == nullptr) {
    co_return NotFound("there is no PostgreSQL sidecar ", target);
  }
  co_return co_await found->postgres()->Explain(
      std::move(statement), std::move(args), parameters, deadline);
}

asio::awaitable<Expected<steps::CommandRun>> Installation::RunCommand(
    steps::CommandWanted wanted, Deadline deadline) {
  const auto& blueprints = input_.blueprints().commands();
  if (wanted.index >= blueprints.size() || blueprints[wanted.index] < 0) {
    co_return Internal("the run was given no blueprint for command ",
                       wanted.index);
  }
  ASSAY_CO_ASSIGN_OR_RETURN(
      const auto cell,
      CommandCell::Make(executor_, session_,
                        static_cast<std::uint32_t>(blueprints[wanted.index])));
  for (const auto& service : services_) {
    ASSAY_CO_RETURN_IF_ERROR(cell->Reach(*service, &traffic_));
  }
  for (const auto& sidecar : sidecars_) {
    ASSAY_CO_RETURN_IF_ERROR(cell->Reach(*sidecar));
  }
  co_return co_await cell->Run(wanted, chronicle_.Log("command"), deadline);
}

asio::awaitable<Expected<steps::CommandRun>> Installation::RunAgainst(
    int variant, steps::CommandWanted wanted, Deadline deadline) {
  const auto& blueprints = input_.blueprints();
  const auto cells = blueprints.mutants().find(wanted.index);
  if (wanted.index >= blueprints.commands_size() ||
      cells == blueprints.mutants().end()) {
    co_return Internal("the run was given no blueprint for variants ",
                       wanted.index);
  }
  VariantInstallation installation(executor_, input_, session_, chronicle_);
  ASSAY_CO_RETURN_IF_ERROR(
      co_await installation.Start(cells->second, variant, deadline));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const auto cell,
      CommandCell::Make(
          executor_, session_,
          static_cast<std::uint32_t>(blueprints.commands(wanted.index))));
  ASSAY_CO_RETURN_IF_ERROR(installation.LetReach(*cell));
  co_return co_await cell->Run(wanted, chronicle_.Log("command"), deadline);
}

asio::awaitable<Expected<std::unique_ptr<steps::Surroundings>>>
Installation::Reference(int index, Deadline deadline) {
  const auto cells = input_.blueprints().mutants().find(index);
  if (cells == input_.blueprints().mutants().end()) {
    co_return Internal("the run was given no blueprint for the reference ",
                       index);
  }
  auto reference = std::make_unique<ReferenceSurroundings>(
      executor_, input_, session_, chronicle_);
  ASSAY_CO_RETURN_IF_ERROR(co_await reference->Start(cells->second, deadline));
  co_return std::move(reference);
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
  if (source == "otlp") return reports_.logs();
  if (source == "span-attributes") return reports_.span_attributes();
  std::string text;
  if (source != "stdout" && source != "stderr") return text;
  for (const auto& service : services_) text += service->Output(source);
  return text;
}

asio::awaitable<Status> Installation::Kill(std::string target) {
  return KillProcesses(std::move(target), SIGKILL);
}

asio::awaitable<Status> Installation::KillProcesses(std::string target,
                                                    int signal) {
  if (SidecarCell* sidecar = FindSidecar(target)) {
    co_return co_await sidecar->Kill(signal);
  }
  ServiceCell* service = FindService(target);
  if (service == nullptr) co_return NotFound("there is no target ", target);
  co_return co_await service->Stop(signal);
}

asio::awaitable<Status> Installation::Heal(std::string target,
                                           Deadline deadline) {
  disturbances_.Heal(target);
  if (wiring_.LeadsTo(target) && FindSidecar(target) == nullptr &&
      FindService(target) == nullptr) {
    co_return Status{};
  }
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

Status Installation::Pause(const std::string& target, bool pause) {
  SidecarCell* sidecar = FindSidecar(target);
  ServiceCell* service = FindService(target);
  Status done = sidecar != nullptr   ? sidecar->Pause(pause)
                : service != nullptr ? service->Pause(pause)
                                     : NotFound("there is no target ", target);
  // Ours to answer for, whatever the sandbox calls it.
  return done ? done
              : Unavailable("pause ", target, ": ", done.error().message);
}

asio::awaitable<Status> Installation::Disturb(assay::plan::v1::FaultStep fault,
                                              telemetry::TraceContext below) {
  const std::string& target = fault.target();
  const bool process =
      FindSidecar(target) != nullptr || FindService(target) != nullptr;
  if (process && fault.action() == "pause") {
    ASSAY_CO_RETURN_IF_ERROR(Pause(target, true));
    disturbances_.BeginOnProcesses(
        fault, below, [this, target](bool) { (void)Pause(target, false); });
    co_return Status{};
  }
  if (process && fault.action() == "kill") {
    ASSAY_CO_RETURN_IF_ERROR(
        co_await KillProcesses(target, SignalOf(fault.argument_json())));
    disturbances_.BeginOnProcesses(fault, below, [this, target](bool by_time) {
      if (by_time) wires::Spawn(executor_, HealLater(this, target, alive_));
    });
    co_return Status{};
  }
  co_return disturbances_.BeginOnWires(fault, below);
}

// A fault whose time is up: nobody waits for what it does.
asio::awaitable<void> Installation::HealLater(Installation* self,
                                              std::string target,
                                              std::weak_ptr<int> alive) {
  if (alive.expired()) co_return;
  const Status healed =
      co_await self->Heal(target, steady_clock::now() + kHealLimit);
  if (!healed && !alive.expired()) {
    self->chronicle_.Note("service", healed.error().message);
  }
}

asio::awaitable<void> Installation::WaitForReports(Deadline deadline) {
  news_.expires_at(deadline);
  co_await news_.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace assay::run
