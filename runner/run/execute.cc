#include "runner/run/execute.h"

#include <poll.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runner/run/blueprint_layout.h"
#include "runner/run/check_runner.h"
#include "runner/run/chronicle.h"
#include "runner/run/installation.h"
#include "runner/run/live_process.h"
#include "runner/run/server_at_url.h"
#include "runner/steps/step_runner.h"
#include "runner/wires/egress_list.h"
#include "runner/wires/egress_wire.h"

namespace assay::run {

namespace asio = boost::asio;
using assay::plan::v1::Check;
using assay::runner::v1::RunInput;
using assay::v1::Run;
using std::chrono::steady_clock;

namespace {

// What ends a run before its checks, or instead of some of them.
struct Stop {
  Run::Outcome outcome = Run::OUTCOME_COMPLETED;
  std::string reason;
};

// No stop: go on.
using Went = Expected<std::optional<Stop>>;

constexpr std::chrono::seconds kSidecarLimit{30};

class Execution {
 public:
  Execution(asio::any_io_executor executor, const RunInput& input,
            sandbox::Session& session, Chronicle& chronicle, Given given)
      : executor_(std::move(executor)),
        input_(input),
        plan_(input.plan()),
        session_(session),
        chronicle_(chronicle),
        given_(std::move(given)),
        installation_(executor_, input, session, chronicle),
        checks_(input, installation_, chronicle),
        deadline_(steady_clock::now() +
                  steps::ToMilliseconds(plan_.limits().run_timeout())) {}

  asio::awaitable<Expected<Stop>> Run() {
    if (!input_.against_url().empty()) co_return co_await RunAgainstUrl();
    // Sidecars start while the candidate's code is built.
    chronicle_.PhaseStarted("sidecars");
    ASSAY_CO_RETURN_IF_ERROR(
        installation_.StartSidecars(std::move(given_.sidecars)));
    if (installation_.SidecarsAreReady()) SidecarsDone({});
    for (const auto step : {&Execution::Build, &Execution::WaitSidecars,
                            &Execution::Start, &Execution::RunChecks}) {
      Went went = co_await (this->*step)();
      if (!went) co_return std::unexpected(std::move(went).error());
      if (*went) {
        SkipTheRest((*went)->reason);
        co_return **std::move(went);
      }
    }
    co_return Stop{};
  }

  asio::awaitable<Status> StopServices() {
    return installation_.StopServices();
  }

 private:
  asio::awaitable<Went> Build();
  asio::awaitable<Went> WaitSidecars();
  asio::awaitable<Went> Start();
  asio::awaitable<Went> RunChecks();

  // Checks alone, on a server that is there already.
  asio::awaitable<Expected<Stop>> RunAgainstUrl() {
    ASSAY_CO_RETURN_IF_ERROR(installation_.UseServerAt(input_.against_url()));
    Went went = co_await RunChecks();
    if (!went) co_return std::unexpected(std::move(went).error());
    if (!*went) co_return Stop{};
    SkipTheRest((*went)->reason);
    co_return **std::move(went);
  }

  // Runs a process of the build cell; what went wrong, as a sentence.
  asio::awaitable<Expected<std::optional<Stop>>> RunInBuildCell(
      sandbox::Cell& cell, std::uint32_t process, std::string what,
      steady_clock::time_point deadline);
  // Ends their phase, once.
  void SidecarsDone(const std::string& problem);
  // What the build may reach the outside by; null if it may not.
  Expected<std::unique_ptr<wires::EgressWire>> LayEgress(sandbox::Cell& cell);
  bool Selected(const Check& check) const;
  // Why a run against a URL leaves it out; empty: it does not.
  std::string OutOfReach(const Check& check) const;
  void SkipTheRest(const std::string& reason);

  asio::any_io_executor executor_;
  const RunInput& input_;
  const assay::plan::v1::Plan& plan_;
  sandbox::Session& session_;
  Chronicle& chronicle_;
  // Until it is used.
  Given given_;
  Installation installation_;
  CheckRunner checks_;
  const steady_clock::time_point deadline_;
  bool sidecars_done_ = false;
  // The next check of the plan.
  int next_ = 0;
};

asio::awaitable<Went> Execution::RunInBuildCell(
    sandbox::Cell& cell, std::uint32_t index, std::string what,
    steady_clock::time_point deadline) {
  ASSAY_CO_ASSIGN_OR_RETURN(sandbox::Process started, cell.Start(index));
  LiveProcess process(executor_, std::move(started), chronicle_.Log("build"),
                      0);
  if (!co_await process.WaitEnd(deadline)) {
    ASSAY_CO_RETURN_IF_ERROR(process.Kill());
    co_await process.WaitEnd(steady_clock::now() + std::chrono::seconds(2));
    if (steady_clock::now() >= deadline_) {
      co_return Stop{Run::OUTCOME_TIMED_OUT,
                     "the run's time limit ran out during " + what};
    }
    co_return Stop{Run::OUTCOME_BUILD_FAILED,
                   what + " was stopped at its time limit"};
  }
  const sandbox::Termination& end = *process.ended();
  if (end.Succeeded()) co_return std::nullopt;
  if (end.ending == sandbox::Ending(sandbox::SetupFault{
                        sandbox::SetupStep::kLauncherGone, 0})) {
    co_return Unavailable("the launcher died during " + what);
  }
  const std::string words = process.LastWords();
  Stop stop{std::holds_alternative<sandbox::OutOfMemory>(end.ending)
                ? Run::OUTCOME_OUT_OF_MEMORY
                : Run::OUTCOME_BUILD_FAILED,
            what + " " + sandbox::Describe(end.ending)};
  if (!words.empty()) stop.reason += ": " + words;
  co_return stop;
}

asio::awaitable<Went> Execution::Build() {
  if (input_.blueprints().build() < 0) co_return std::nullopt;
  chronicle_.PhaseStarted("materialise");
  ASSAY_CO_ASSIGN_OR_RETURN(sandbox::Cell cell,
                            session_.StartCell(static_cast<std::uint32_t>(
                                input_.blueprints().build())));
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::optional<Stop> unpacked,
      co_await RunInBuildCell(cell, kUnpackProcess, "unpacking the commit",
                              deadline_));
  chronicle_.PhaseFinished("materialise", unpacked ? unpacked->reason : "");
  if (unpacked) co_return unpacked;

  std::uint32_t process = kFirstBuildProcess;
  bool builds = false;
  for (const auto& service : plan_.services()) builds |= service.has_build();
  if (builds) chronicle_.PhaseStarted("build");
  ASSAY_CO_ASSIGN_OR_RETURN(const auto egress, LayEgress(cell));
  for (const auto& service : plan_.services()) {
    if (!service.has_build()) continue;
    const auto limit = steps::ToMilliseconds(
        service.build().has_timeout() ? service.build().timeout()
                                      : plan_.limits().build_timeout());
    ASSAY_CO_ASSIGN_OR_RETURN(
        const std::optional<Stop> failed,
        co_await RunInBuildCell(
            cell, process++,
            "the build (" + service.build().run().substr(0, 80) + ")",
            std::min(deadline_, steady_clock::now() + limit)));
    if (failed) {
      chronicle_.PhaseFinished("build", failed->reason);
      co_return failed;
    }
  }
  if (builds) chronicle_.PhaseFinished("build", "");
  // What a build left running has no business beside the service.
  ASSAY_CO_RETURN_IF_ERROR(cell.Kill());
  co_return std::nullopt;
}

Expected<std::unique_ptr<wires::EgressWire>> Execution::LayEgress(
    sandbox::Cell& cell) {
  ASSAY_ASSIGN_OR_RETURN(auto destinations,
                         wires::EgressList(plan_.environment()));
  if (destinations.empty()) return nullptr;
  if (!given_.egress)
    return Internal("the run was given no socket to assay-egress");
  ASSAY_ASSIGN_OR_RETURN(auto listener, cell.Listen(sandbox::kProxyPort));
  return wires::EgressWire::Lay(executor_, std::move(listener),
                                std::move(given_.egress),
                                std::move(destinations), chronicle_.tracer(),
                                chronicle_.PhaseSpan("build"));
}

void Execution::SidecarsDone(const std::string& problem) {
  if (!std::exchange(sidecars_done_, true)) {
    chronicle_.PhaseFinished("sidecars", problem);
  }
}

asio::awaitable<Went> Execution::WaitSidecars() {
  const Status ready = co_await installation_.WaitSidecars(
      std::min(deadline_, steady_clock::now() + kSidecarLimit));
  SidecarsDone(ready ? "" : ready.error().message);
  ASSAY_CO_RETURN_IF_ERROR(ready);
  co_return std::nullopt;
}

asio::awaitable<Went> Execution::Start() {
  chronicle_.PhaseStarted("start");
  Status started = installation_.MakeServices();
  if (started) started = installation_.StartServices();
  chronicle_.PhaseFinished("start", started ? "" : started.error().message);
  ASSAY_CO_RETURN_IF_ERROR(started);

  chronicle_.PhaseStarted("ready");
  const auto limit = steps::ToMilliseconds(plan_.limits().start_timeout());
  const std::string problem = co_await installation_.WaitServices(
      std::min(deadline_, steady_clock::now() + limit));
  chronicle_.PhaseFinished("ready", problem);
  if (!problem.empty()) {
    Stop stop{Run::OUTCOME_NEVER_READY, problem};
    for (const auto& service : installation_.services()) {
      if (service->alive() || service->program() == nullptr) continue;
      const auto& end = service->program()->ended()->ending;
      stop.outcome = std::holds_alternative<sandbox::OutOfMemory>(end)
                         ? Run::OUTCOME_OUT_OF_MEMORY
                         : Run::OUTCOME_SERVICE_CRASHED;
    }
    co_return stop;
  }
  ASSAY_CO_RETURN_IF_ERROR(co_await installation_.TakeSnapshots(
      std::min(deadline_, steady_clock::now() + kSidecarLimit)));
  co_return std::nullopt;
}

asio::awaitable<Went> Execution::RunChecks() {
  chronicle_.PhaseStarted("checks");
  std::optional<Stop> stop;
  while (next_ < plan_.checks_size() && !stop) {
    const Check& check = plan_.checks(next_++);
    if (!Selected(check)) continue;
    if (const std::string why = OutOfReach(check); !why.empty()) {
      checks_.Skip(check, why);
      continue;
    }
    ASSAY_CO_RETURN_IF_ERROR(co_await checks_.Run(check, deadline_));
    if (!checks_.broken().empty()) {
      stop = Stop{Run::OUTCOME_SERVICE_CRASHED, checks_.broken()};
    } else if (checks_.ran_out_of_time()) {
      stop = Stop{Run::OUTCOME_TIMED_OUT, "the run's time limit ran out"};
    }
  }
  chronicle_.PhaseFinished("checks", stop ? stop->reason : "");
  co_return stop;
}

// A check that would look for the sidecar, or the trace, of a server that has
// none is not held against that server, nor in its favour.
std::string Execution::OutOfReach(const Check& check) const {
  if (input_.against_url().empty()) return "";
  const auto* step = FindStepInNeedOfCells(plan_, check);
  if (step == nullptr) return "";
  return "its step " + step->title() + " (" +
         steps::ShowPosition(step->position(), plan_) +
         ") needs a run against a folder";
}

bool Execution::Selected(const Check& check) const {
  if (input_.public_only() && check.hidden()) return false;
  if (input_.only_checks().empty()) return true;
  return std::ranges::find(input_.only_checks(), check.id()) !=
         input_.only_checks().end();
}

void Execution::SkipTheRest(const std::string& reason) {
  for (; next_ < plan_.checks_size(); ++next_) {
    if (Selected(plan_.checks(next_))) {
      checks_.Skip(plan_.checks(next_), reason);
    }
  }
}

// Whether the launcher is gone: nobody else closes a session from that side.
bool HasEnded(const sandbox::Session& session) {
  pollfd peer = {.fd = session.socket(), .events = 0, .revents = 0};
  return poll(&peer, 1, 0) > 0;
}

}  // namespace

asio::awaitable<void> Execute(const RunInput& input, sandbox::Session& session,
                              telemetry::EventSink& sink, Given given) {
  const auto executor = co_await asio::this_coro::executor;
  Chronicle chronicle(executor, input, sink);
  Expected<Stop> stop = Stop{};
  {
    Execution execution(executor, input, session, chronicle, std::move(given));
    stop = co_await execution.Run();
    chronicle.PhaseStarted("teardown");
    const Status stopped = co_await execution.StopServices();
    if (stop && !stopped) stop = std::unexpected(stopped.error());
  }
  // Programs that died with their launcher say nothing about the candidate's.
  if (stop && input.against_url().empty() && HasEnded(session)) {
    stop = Unavailable("the launcher died during the run");
  }
  chronicle.PhaseFinished("teardown", "");
  if (stop) {
    chronicle.Finished(stop->outcome, stop->reason);
  } else {
    chronicle.Finished(Run::OUTCOME_ERRORED, stop.error().message);
  }
}

}  // namespace assay::run
