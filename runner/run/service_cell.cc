#include "runner/run/service_cell.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "runner/assertions/evaluator.h"
#include "runner/run/blueprint_layout.h"
#include "runner/run/quiet_process.h"
#include "runner/steps/step_runner.h"
#include "runner/wires/dial.h"

namespace assay::run {

namespace asio = boost::asio;
using assay::plan::v1::Service;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A try to connect costs some microseconds inside the kernel; a service that
// comes up is met at most so late.
constexpr milliseconds kConnectEvery{2};
constexpr milliseconds kProbeLimit{5000};
constexpr std::chrono::seconds kReap{2};

milliseconds Until(steady_clock::time_point deadline) {
  return std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(
                                       deadline - steady_clock::now()));
}

}  // namespace

Expected<std::unique_ptr<ServiceCell>> ServiceCell::Make(
    asio::any_io_executor executor, sandbox::Session& session,
    std::uint32_t blueprint, const Service& plan, telemetry::LogChannel& log,
    std::size_t keep) {
  ASSAY_ASSIGN_OR_RETURN(sandbox::Cell cell, session.StartCell(blueprint));
  return std::unique_ptr<ServiceCell>(
      new ServiceCell(std::move(executor), std::move(cell), plan, log, keep));
}

ServiceCell::ServiceCell(asio::any_io_executor executor, sandbox::Cell cell,
                         const Service& plan, telemetry::LogChannel& log,
                         std::size_t keep)
    : executor_(std::move(executor)),
      cell_(std::move(cell)),
      plan_(plan),
      log_(log),
      keep_(keep),
      network_(std::make_unique<wires::CellNetwork>(cell_)),
      front_(*network_),
      prober_(std::make_unique<steps::HttpClient>(
          executor_, *network_, static_cast<std::uint16_t>(plan.port()))) {}

asio::awaitable<Expected<std::string>> ServiceCell::RunBefore(
    std::uint32_t process, Deadline deadline) {
  return RunQuietly(executor_, cell_, process, deadline);
}

Status ServiceCell::StartProgram() {
  if (program_ != nullptr) {
    // Children that outlived it would hold its port.
    ASSAY_RETURN_IF_ERROR(cell_.Kill());
    earlier_out_ = Output("stdout");
    earlier_err_ = Output("stderr");
    for (auto& [port, client] : clients_) client->DropConnections();
    prober_->DropConnections();
  }
  stopped_ = false;
  asked_.reset();
  ASSAY_ASSIGN_OR_RETURN(sandbox::Process process,
                         cell_.Start(kServiceProcess));
  program_ =
      std::make_unique<LiveProcess>(executor_, std::move(process), log_, keep_);
  return {};
}

asio::awaitable<std::string> ServiceCell::WaitReady(Deadline deadline) {
  const auto& ready = plan_.ready();
  const auto interval = ready.has_interval()
                            ? steps::ToMilliseconds(ready.interval())
                            : milliseconds(50);
  if (ready.has_timeout()) {
    deadline = std::min(
        deadline, steady_clock::now() + steps::ToMilliseconds(ready.timeout()));
  }
  const auto begin = steady_clock::now();
  std::string seen;
  while (true) {
    std::string last = co_await Probe(deadline);
    if (last.empty()) co_return "";
    // A try that the deadline cut short says less than the one before.
    if (seen.empty() || steady_clock::now() < deadline) seen = std::move(last);
    if (program_->ended()) co_return DescribeEnd();
    const auto now = steady_clock::now();
    if (now >= deadline) {
      const auto waited =
          std::chrono::duration_cast<milliseconds>(now - begin).count();
      std::string words = program_->LastWords();
      if (!words.empty()) words = "; it wrote: " + words;
      co_return "was not ready after " + std::to_string(waited) +
          " ms: " + seen + words;
    }
    const bool connected = !seen.starts_with("nothing listens");
    co_await program_->WaitEnd(
        std::min(deadline, now + (connected ? interval : kConnectEvery)));
  }
}

asio::awaitable<std::string> ServiceCell::Probe(Deadline deadline) {
  const auto port = static_cast<std::uint16_t>(plan_.port());
  const auto& ready = plan_.ready();
  if (ready.path().empty()) {
    const auto socket = co_await wires::Dial(*network_, port, Until(deadline));
    co_return socket ? "" : "nothing listens on port " + std::to_string(port);
  }
  steps::HttpRequest request{.target = ready.path(),
                             .timeout = std::min(kProbeLimit, Until(deadline)),
                             .body_limit = 1 << 20};
  const steps::HttpResult result =
      co_await prober_->Perform(std::move(request));
  // A service that takes one connection at a time would never come to the
  // check's while this one stands.
  prober_->DropConnections();
  using Kind = steps::HttpResult::Kind;
  if (result.kind == Kind::kRefused) {
    co_return "nothing listens on port " + std::to_string(port);
  }
  if (result.kind != Kind::kAnswered) co_return result.problem;
  const int status = result.answer.status;
  const bool holds = ready.has_status()
                         ? assertions::StatusHolds(ready.status(), status)
                         : status >= 200 && status < 300;
  if (holds) co_return "";
  co_return "GET " + ready.path() + " answered " + std::to_string(status);
}

std::string ServiceCell::DescribeEnd() {
  const std::string words = program_->LastWords();
  return sandbox::Describe(program_->ended()->ending) + " before it was ready" +
         (words.empty() ? "" : "; it wrote: " + words);
}

asio::awaitable<Status> ServiceCell::Stop(int signal) {
  stopped_ = true;
  if (signal != SIGKILL && alive()) {
    ASSAY_CO_RETURN_IF_ERROR(program_->Signal(signal));
    co_await program_->WaitEnd(steady_clock::now() +
                               (plan_.has_stop_grace()
                                    ? steps::ToMilliseconds(plan_.stop_grace())
                                    : milliseconds(kReap)));
  }
  ASSAY_CO_RETURN_IF_ERROR(cell_.Kill());
  if (program_ != nullptr) {
    co_await program_->WaitEnd(steady_clock::now() + kReap);
  }
  co_await WaitEmpty();
  co_return Status{};
}

// The program is a shell, which may be gone before what it started: that one
// would still hold the port of whoever comes next.
asio::awaitable<void> ServiceCell::WaitEmpty() {
  auto emptied = cell_.Emptied();
  // Then the cell is gone, with all of them.
  if (!emptied) co_return;
  const auto end = std::make_shared<asio::posix::stream_descriptor>(
      executor_, emptied->Release());
  asio::steady_timer patience(executor_, kReap);
  patience.async_wait([end](const boost::system::error_code& error) {
    if (!error) end->cancel();
  });
  co_await end->async_wait(asio::posix::descriptor_base::wait_read,
                           asio::as_tuple(asio::use_awaitable));
}

void ServiceCell::AskToStop() {
  if (!alive() || asked_) return;
  stopped_ = true;
  asked_ = steady_clock::now();
  // One that is just ending is no concern of anybody.
  (void)program_->Signal(SIGTERM);
}

asio::awaitable<Status> ServiceCell::StopGently() {
  AskToStop();
  if (asked_) {
    co_await program_->WaitEnd(*asked_ +
                               steps::ToMilliseconds(plan_.stop_grace()));
  }
  co_return co_await Stop();
}

Expected<std::uint16_t> ServiceCell::PortOf(std::string_view name) const {
  if (name.empty()) return static_cast<std::uint16_t>(plan_.port());
  const auto it = plan_.ports().find(std::string(name));
  if (it == plan_.ports().end()) {
    return NotFound("the service has no port named ", name);
  }
  return static_cast<std::uint16_t>(it->second);
}

Expected<steps::HttpClient*> ServiceCell::Http(std::string_view name) {
  ASSAY_ASSIGN_OR_RETURN(const std::uint16_t port, PortOf(name));
  auto& client = clients_[port];
  if (client == nullptr) {
    client = std::make_unique<steps::HttpClient>(executor_, front_, port);
  }
  return client.get();
}

std::string ServiceCell::Output(std::string_view source) {
  const bool out = source == "stdout";
  std::string text = out ? earlier_out_ : earlier_err_;
  if (program_ != nullptr) {
    telemetry::OutputReader& reader = out ? program_->out() : program_->err();
    reader.Drain();
    text += reader.text().substr(0, keep_ - std::min(keep_, text.size()));
  }
  return text;
}

}  // namespace assay::run
