#ifndef ASSAY_TESTS_RUNNER_STEPS_STEP_FIXTURE_H_
#define ASSAY_TESTS_RUNNER_STEPS_STEP_FIXTURE_H_

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runner/steps/step_runner.h"
#include "runner/suite/compiler.h"

namespace assay::tests {

// Runs the steps of a suite against servers of this machine: what a run does
// between two processes' starts, without cells.
class StepFixture : public testing::Test {
 protected:
  using Files = std::map<std::string, std::string>;

  // `steps`: as in a suite; every service is at `port`.
  steps::Outcome RunSteps(std::uint16_t port, const std::string& steps,
                          Files files = {}) {
    files["assay.yaml"] =
        "version: 1\nname: Steps\nlimits: { check: 5s, step: 3s, body: 64KiB "
        "}\n"
        "service: { start: x, ready: { get: / } }\n"
        "checks:\n  - id: a\n    title: A\n    points: 1\n"
        "    visibility: public\n    steps:\n" +
        steps;
    auto compiled = suite::Compile(files);
    if (!compiled) {
      ADD_FAILURE() << suite::ToText(compiled.error());
      return {};
    }
    const plan::v1::Plan& plan = compiled->plan;
    Host host(io_.get_executor(), port);
    Silence silence;
    telemetry::Tracer tracer(silence, std::string(16, 't'));
    tracer.SetWatch([this](const auto& span) { spans_.push_back(span); });
    telemetry::Correlation correlation;
    telemetry::Redactor redactor;
    steps::StepRunner runner(plan, host, tracer, correlation, redactor);
    steps::Frame frame{.deadline = std::chrono::steady_clock::now() +
                                   std::chrono::seconds(5)};
    frame.scope.AddGenerators(1);
    result_.Clear();
    spans_.clear();
    auto outcome = boost::asio::co_spawn(
        io_, runner.Run(plan.checks(0).steps(), frame, result_),
        boost::asio::use_future);
    io_.restart();
    while (outcome.wait_for(std::chrono::seconds(0)) !=
           std::future_status::ready) {
      io_.run_one();
    }
    return outcome.get();
  }

  v1::CheckResult result_;
  // As they ended.
  std::vector<otlp::v1::Span> spans_;

 private:
  class Silence final : public telemetry::EventSink {
    void Emit(v1::RunEvent) override {}
  };

  // A service on this machine, and nothing else.
  class Host final : public steps::Surroundings {
   public:
    Host(boost::asio::any_io_executor executor, std::uint16_t port)
        : port_(port), client_(std::move(executor), network_, port) {}

    Expected<steps::HttpClient*> Http(std::string_view,
                                      std::string_view) override {
      return &client_;
    }
    Expected<steps::Place> At(std::string_view, std::string_view) override {
      return steps::Place{&network_, port_};
    }
    boost::asio::awaitable<Expected<wires::SqlResult>> Sql(
        std::string, std::string, std::vector<std::optional<std::string>>,
        Deadline) override {
      co_return NotFound("no database");
    }
    boost::asio::awaitable<Expected<wires::SqlResult>> Explain(
        std::string, std::string,
        std::optional<std::vector<std::optional<std::string>>>, std::size_t,
        Deadline) override {
      co_return NotFound("no database");
    }
    boost::asio::awaitable<Expected<std::unique_ptr<steps::Surroundings>>>
    Reference(int, Deadline) override {
      co_return NotFound("no reference");
    }
    boost::asio::awaitable<Expected<sidecars::RedisReply>> Redis(
        std::string, std::vector<std::string>, Deadline) override {
      co_return NotFound("no Redis");
    }
    boost::asio::awaitable<Expected<steps::CommandRun>> RunCommand(
        steps::CommandWanted, Deadline) override {
      co_return NotFound("no cells");
    }
    boost::asio::awaitable<Expected<steps::CommandRun>> RunAgainst(
        int, steps::CommandWanted, Deadline) override {
      co_return NotFound("no cells");
    }
    boost::asio::awaitable<std::optional<std::string>> DeathOf(
        std::string) override {
      co_return std::nullopt;
    }
    std::string Output(std::string_view) override { return ""; }
    telemetry::Reports::Sum Metric(
        const std::string&,
        const std::map<std::string, std::string>&) override {
      return {};
    }
    void SetUnderLoad(bool) override {}
    steps::Observations& observations() override { return seen_; }
    boost::asio::awaitable<Status> Kill(std::string) override {
      co_return NotFound("no cells");
    }
    boost::asio::awaitable<Status> Heal(std::string, Deadline) override {
      co_return NotFound("no cells");
    }
    boost::asio::awaitable<Status> Disturb(plan::v1::FaultStep,
                                           telemetry::TraceContext) override {
      co_return NotFound("no wires");
    }
    boost::asio::awaitable<void> WaitForReports(Deadline) override {
      co_return;
    }

   private:
    wires::HostNetwork network_;
    const std::uint16_t port_;
    steps::HttpClient client_;
    steps::Observations seen_;
  };

  boost::asio::io_context io_;
};

}  // namespace assay::tests

#endif  // ASSAY_TESTS_RUNNER_STEPS_STEP_FIXTURE_H_
