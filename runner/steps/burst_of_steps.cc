#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "runner/steps/burst_step.h"
#include "runner/wires/spawn.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::BurstStep;

namespace {

// As for bursts of one request.
constexpr std::chrono::milliseconds kOpening{250};

// Runs of the same steps beside each other.
struct Rounds {
  explicit Rounds(asio::any_io_executor executor)
      : finished(std::move(executor), asio::steady_timer::time_point::max()) {}

  std::vector<HttpResult> results;
  std::vector<Outcome> outcomes;
  std::size_t next = 0;
  std::size_t prepared = 0;
  int workers = 0;
  asio::steady_timer finished;
};

asio::awaitable<void> Work(Rounds& rounds, const RunSteps& run,
                           const Frame& frame,
                           std::chrono::steady_clock::time_point deadline,
                           telemetry::TraceContext parent) {
  while (rounds.next < rounds.results.size()) {
    const std::size_t mine = rounds.next++;
    Frame own{.scope = frame.scope,
              .deadline = deadline,
              .span = parent,
              .prepared_connection = mine < rounds.prepared,
              .answer = &rounds.results[mine].answer};
    rounds.outcomes[mine] = co_await run(own);
  }
  if (--rounds.workers == 0) rounds.finished.cancel();
}

// What none of the runs may come to, whatever is expected of all together.
Outcome FirstBad(const Rounds& rounds, bool ours) {
  for (std::size_t i = 0; i < rounds.outcomes.size(); ++i) {
    Outcome outcome = rounds.outcomes[i];
    const bool is_ours = outcome.verdict == assay::v1::VERDICT_ERRORED ||
                         outcome.verdict == assay::v1::VERDICT_INCONCLUSIVE;
    if (outcome.passed() || is_ours != ours) continue;
    outcome.reason = "number " + std::to_string(i + 1) + ": " + outcome.reason;
    return outcome;
  }
  return {};
}

// Connections for the first request of each.
asio::awaitable<int> Prepare(const BurstStep& step, Surroundings& surroundings,
                             int at_once) {
  if (at_once < 2 || step.steps_size() == 0 || !step.steps(0).has_http()) {
    co_return 0;
  }
  const auto& first = step.steps(0).http();
  auto client = surroundings.Http(first.service(), first.port());
  if (!client || first.version() == plan::v1::HttpStep::VERSION_2) co_return 0;
  co_return co_await (*client)->PrepareConnections(at_once, kOpening);
}

}  // namespace

asio::awaitable<Outcome> RunBurstOfSteps(const BurstStep& step, Frame& frame,
                                         Surroundings& surroundings,
                                         telemetry::Tracer& tracer,
                                         RunSteps run,
                                         std::chrono::milliseconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  const int at_once = std::min(step.times(), std::max(1, step.at_once()));
  Rounds rounds(executor);
  rounds.results.resize(static_cast<std::size_t>(step.times()));
  rounds.outcomes.resize(rounds.results.size());
  telemetry::Span span = tracer.Start("burst", frame.span);
  span.Set("assay.burst.times", step.times());
  span.Set("assay.burst.at_once", at_once);
  const int prepared = co_await Prepare(step, surroundings, at_once);
  span.Set("assay.burst.opened_beforehand", prepared);
  rounds.prepared = static_cast<std::size_t>(prepared);

  const auto begin = std::chrono::steady_clock::now();
  rounds.workers = at_once;
  for (int i = 0; i < at_once; ++i) {
    wires::Spawn(executor,
                 Work(rounds, run, frame,
                      std::min(frame.deadline, begin + limit), span.context()));
  }
  while (rounds.workers > 0) {
    co_await rounds.finished.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  const auto took = std::chrono::steady_clock::now() - begin;

  if (Outcome bad = FirstBad(rounds, true); !bad.passed()) co_return bad;
  Outcome outcome = CheckTogether(step, rounds.results);
  if (outcome.passed()) outcome = FirstBad(rounds, false);
  if (outcome.passed() && step.has_within()) {
    plan::v1::Plan none;
    assertions::Schemas schemas(none);
    outcome = CheckWithin(step, frame, schemas, took);
  }
  co_return outcome;
}

}  // namespace assay::steps
