#include "runner/run/reference_surroundings.h"

#include <utility>

#include "runner/sidecars/redis_command.h"

namespace assay::run {

namespace asio = boost::asio;

namespace {

// The compiler lets no such step stand before a calibrated load.
std::unexpected<Error> NotHere() {
  return Internal("the reference is measured, and no more");
}

}  // namespace

Expected<steps::HttpClient*> ReferenceSurroundings::Http(
    std::string_view service, std::string_view port) {
  ServiceCell* found = installation_.FindService(service);
  if (found == nullptr) return NotFound("there is no service ", service);
  return found->Http(port);
}

Expected<steps::Place> ReferenceSurroundings::At(std::string_view service,
                                                 std::string_view port) {
  ServiceCell* found = installation_.FindService(service);
  if (found == nullptr) return NotFound("there is no service ", service);
  ASSAY_ASSIGN_OR_RETURN(const std::uint16_t number, found->PortOf(port));
  return steps::Place{&found->front(), number};
}

asio::awaitable<Expected<wires::SqlResult>> ReferenceSurroundings::Sql(
    std::string target, std::string statement,
    std::vector<std::optional<std::string>> args, Deadline deadline) {
  SidecarCell* found = installation_.FindSidecar(target);
  if (found == nullptr || found->postgres() == nullptr) {
    co_return NotFound("there is no PostgreSQL sidecar ", target);
  }
  co_return co_await found->postgres()->Read(std::move(statement),
                                             std::move(args), deadline);
}

asio::awaitable<Expected<sidecars::RedisReply>> ReferenceSurroundings::Redis(
    std::string target, std::vector<std::string> arguments, Deadline deadline) {
  SidecarCell* found = installation_.FindSidecar(target);
  if (found == nullptr || found->postgres() != nullptr) {
    co_return NotFound("there is no Redis sidecar ", target);
  }
  co_return co_await sidecars::AskRedis(found->network(), found->port(),
                                        std::move(arguments), deadline);
}

asio::awaitable<std::optional<std::string>> ReferenceSurroundings::DeathOf(
    std::string service) {
  ServiceCell* found = installation_.FindService(service);
  if (found == nullptr || found->alive() || found->program() == nullptr) {
    co_return std::nullopt;
  }
  co_return sandbox::Describe(found->program()->ended()->ending);
}

asio::awaitable<Expected<wires::SqlResult>> ReferenceSurroundings::Explain(
    std::string, std::string,
    std::optional<std::vector<std::optional<std::string>>>, std::size_t,
    Deadline) {
  co_return NotHere();
}

asio::awaitable<Expected<steps::CommandRun>> ReferenceSurroundings::RunCommand(
    steps::CommandWanted, Deadline) {
  co_return NotHere();
}

asio::awaitable<Expected<steps::CommandRun>> ReferenceSurroundings::RunAgainst(
    int, steps::CommandWanted, Deadline) {
  co_return NotHere();
}

asio::awaitable<Expected<std::unique_ptr<steps::Surroundings>>>
ReferenceSurroundings::Reference(int, Deadline) {
  co_return NotHere();
}

asio::awaitable<Status> ReferenceSurroundings::Kill(std::string) {
  co_return NotHere();
}

asio::awaitable<Status> ReferenceSurroundings::Heal(std::string, Deadline) {
  co_return NotHere();
}

asio::awaitable<Status> ReferenceSurroundings::Disturb(
    assay::plan::v1::FaultStep, telemetry::TraceContext) {
  co_return NotHere();
}

asio::awaitable<void> ReferenceSurroundings::WaitForReports(Deadline) {
  co_return;
}

}  // namespace assay::run
