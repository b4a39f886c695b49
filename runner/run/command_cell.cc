#include "runner/run/command_cell.h"

#include <algorithm>
#include <utility>

#include "runner/reports/import.h"
#include "runner/run/blueprint_layout.h"
#include "runner/run/collected_reports.h"
#include "runner/run/live_process.h"
#include "runner/run/quiet_process.h"
#include "runner/wires/dial.h"

namespace assay::run {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using steps::CommandRun;

namespace {

using Deadline = steps::Surroundings::Deadline;

constexpr std::chrono::seconds kReap{2};
constexpr std::chrono::seconds kDialLimit{5};
constexpr std::chrono::seconds kCollectLimit{12};
// Reports, their names and sizes.
constexpr std::size_t kCollectedBytes = reports::kMaxImportBytes + (2 << 20);

void Describe(const sandbox::Termination& end, CommandRun& run) {
  run.ending = sandbox::Describe(end.ending);
  if (const auto* exited = std::get_if<sandbox::Exited>(&end.ending)) {
    run.exit_code = exited->code;
  }
  if (const auto* fault = std::get_if<sandbox::SetupFault>(&end.ending)) {
    // The other steps say that the command named something that is not there.
    run.ours = fault->step != sandbox::SetupStep::kExec &&
               fault->step != sandbox::SetupStep::kWorkingDirectory;
  }
}

}  // namespace

Expected<std::unique_ptr<CommandCell>> CommandCell::Make(
    asio::any_io_executor executor, sandbox::Session& session,
    std::uint32_t blueprint) {
  ASSAY_ASSIGN_OR_RETURN(sandbox::Cell cell, session.StartCell(blueprint));
  return std::unique_ptr<CommandCell>(
      new CommandCell(std::move(executor), std::move(cell)));
}

CommandCell::CommandCell(asio::any_io_executor executor, sandbox::Cell cell)
    : executor_(std::move(executor)),
      cell_(std::move(cell)),
      network_(std::make_unique<wires::CellNetwork>(cell_)) {}

CommandCell::~CommandCell() {
  wires_.clear();
  taps_.clear();
  // If the launcher is gone, so is the cell.
  (void)cell_.Discard();
}

Status CommandCell::Wire(std::uint16_t port, wires::Network& target,
                         std::uint16_t target_port) {
  ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening, network_->Listen(port));
  wires_.push_back(std::make_unique<wires::RelayWire>(
      executor_, std::move(listening), target, target_port, nullptr));
  return {};
}

Status CommandCell::Reach(ServiceCell& service, Traffic* traffic) {
  std::vector<std::uint16_t> ports = {
      static_cast<std::uint16_t>(service.plan().port())};
  for (const auto& [name, number] : service.plan().ports()) {
    ports.push_back(static_cast<std::uint16_t>(number));
  }
  wires::Network& target = service.front();
  for (const std::uint16_t port : ports) {
    if (traffic == nullptr) {
      ASSAY_RETURN_IF_ERROR(Wire(port, target, port));
      continue;
    }
    ASSAY_ASSIGN_OR_RETURN(wires::UniqueFd listening, network_->Listen(port));
    taps_.push_back(std::make_unique<wires::HttpTap>(
        executor_, std::move(listening),
        [&target, port] { return wires::Dial(target, port, kDialLimit); },
        traffic->Http(service.plan().name(), true)));
  }
  return {};
}

Status CommandCell::Reach(SidecarCell& sidecar) {
  return Wire(static_cast<std::uint16_t>(sidecar.plan().port()),
              sidecar.network(), sidecar.port());
}

asio::awaitable<Expected<CommandRun>> CommandCell::Run(
    steps::CommandWanted wanted, telemetry::LogChannel& log,
    Deadline deadline) {
  if (wanted.fill) ASSAY_CO_RETURN_IF_ERROR(co_await Fill(deadline));
  CommandRun run;
  const auto begin = steady_clock::now();
  {
    ASSAY_CO_ASSIGN_OR_RETURN(sandbox::Process started,
                              cell_.Start(kCommandProcess));
    LiveProcess process(executor_, std::move(started), log,
                        wanted.output ? reports::kMaxImportBytes + 1 : 0);
    const auto limit = wanted.limit.count() > 0
                           ? std::min(deadline, begin + wanted.limit)
                           : deadline;
    run.timed_out = !co_await process.WaitEnd(limit);
    // What it left running could write reports after its end.
    ASSAY_CO_RETURN_IF_ERROR(cell_.Kill());
    co_await process.WaitEnd(steady_clock::now() + kReap);
    run.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        steady_clock::now() - begin);
    if (!process.ended()) {
      co_return Internal("a command did not end when it was killed");
    }
    Describe(*process.ended(), run);
    run.last_words = process.LastWords();
    if (wanted.output) {
      run.reports.emplace_back("standard output", process.out().text());
    }
  }
  log.Flush();
  if (wanted.files && !run.timed_out) {
    ASSAY_CO_RETURN_IF_ERROR(co_await Collect(run));
  }
  co_return run;
}

asio::awaitable<Status> CommandCell::Fill(Deadline deadline) {
  ASSAY_CO_ASSIGN_OR_RETURN(
      const std::string problem,
      co_await RunQuietly(executor_, cell_, kFillProcess, deadline));
  if (problem.empty()) co_return Status{};
  co_return FailedPrecondition("its work directory could not be filled: ",
                               problem);
}

asio::awaitable<Status> CommandCell::Collect(CommandRun& run) {
  ASSAY_CO_ASSIGN_OR_RETURN(sandbox::Process started,
                            cell_.Start(kCollectProcess));
  QuietProcess process(executor_, std::move(started), kCollectedBytes);
  const bool ended =
      co_await process.live().WaitEnd(steady_clock::now() + kCollectLimit);
  if (!ended || !process.live().ended()->Succeeded()) {
    run.report_problem = "the reports could not be read";
    co_return Status{};
  }
  auto files = ReadCollected(process.live().out().text());
  if (files) {
    run.reports = *std::move(files);
  } else {
    run.report_problem = files.error().message;
  }
  co_return Status{};
}

}  // namespace assay::run
