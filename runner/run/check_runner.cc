#include "runner/run/check_runner.h"

#include <algorithm>
#include <utility>

#include "proto/base/digest.h"
#include "runner/run/base_scope.h"

namespace assay::run {

namespace asio = boost::asio;
using assay::plan::v1::Case;
using assay::plan::v1::Check;
using assay::v1::CheckResult;
using std::chrono::steady_clock;
using steps::Outcome;

namespace {

// Starting a service again is not the check's time, but it has an end.
constexpr std::chrono::seconds kResetLimit{10};

// Steps that results are made of: those of a flow stand in its place.
int CountSteps(const steps::StepRunner::Steps& steps,
               const assay::plan::v1::Plan& plan) {
  int count = 0;
  for (const auto& step : steps) {
    if (!step.has_use()) {
      ++count;
    } else if (const auto flow = plan.flows().find(step.use().flow());
               flow != plan.flows().end()) {
      count += CountSteps(flow->second.steps(), plan);
    }
  }
  return count;
}

void SetDuration(steady_clock::duration took, CheckResult& result) {
  const auto nanos =
      std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
  const auto before =
      result.duration().seconds() * 1'000'000'000 + result.duration().nanos();
  result.mutable_duration()->set_seconds((before + nanos) / 1'000'000'000);
  result.mutable_duration()->set_nanos(
      static_cast<std::int32_t>((before + nanos) % 1'000'000'000));
}

// Which of two verdicts a check with both has: what is ours to answer for
// comes before what is the candidate's.
int Weight(assay::v1::Verdict verdict) {
  switch (verdict) {
    case assay::v1::VERDICT_ERRORED:
      return 4;
    case assay::v1::VERDICT_INCONCLUSIVE:
      return 3;
    case assay::v1::VERDICT_FAILED:
      return 2;
    case assay::v1::VERDICT_TIMED_OUT:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

CheckRunner::CheckRunner(const assay::runner::v1::RunInput& input,
                         Installation& installation, Chronicle& chronicle)
    : input_(input),
      installation_(installation),
      chronicle_(chronicle),
      steps_(input.plan(), installation, chronicle.tracer(),
             chronicle.correlation(), chronicle.redactor()),
      scope_(BaseScope(input)) {}

asio::awaitable<Status> CheckRunner::Run(const Check& check,
                                         Deadline run_deadline) {
  if (const std::string need = MissingNeed(check); !need.empty()) {
    Skip(check, "needs " + need + ", which did not pass");
    co_return Status{};
  }
  chronicle_.SetHidden(check.hidden());
  chronicle_.CheckStarted(check);
  telemetry::Span span =
      chronicle_.tracer().Start(check.id(), chronicle_.PhaseSpan("checks"));
  span.Set("assay.check.id", check.id());
  span.Set("assay.check.title", check.title());
  chronicle_.correlation().SetBackground(span.context());

  BeginScope();
  CheckResult result = MakeResult(check);
  result.set_span_id(ToHex(span.context().span_id));
  const int rows = std::max(1, check.cases_size());
  // What steps that did not pass have earned by parts.
  double parts = 0;
  for (int i = 0; i < rows && broken_.empty() && !out_of_time_; ++i) {
    const Case* row = check.cases_size() > 0 ? &check.cases(i) : nullptr;
    auto outcome = co_await RunCase(check, row, run_deadline, result);
    if (!outcome) co_return std::unexpected(std::move(outcome).error());
    if (!outcome->passed() && (check.partial() || outcome->by_itself)) {
      parts += outcome->share.value_or(0);
    }
    if (row != nullptr) {
      CheckResult::Case& told = *result.add_cases();
      told.set_name(row->name());
      told.set_verdict(outcome->verdict);
      told.set_reason(outcome->reason);
      if (!outcome->passed()) {
        outcome->reason = row->name() + ": " + outcome->reason;
      }
    }
    if (Weight(outcome->verdict) > Weight(result.verdict())) {
      result.set_verdict(outcome->verdict);
      result.set_reason(outcome->reason);
    }
  }
  Judge(check, parts, result);
  if (result.verdict() != assay::v1::VERDICT_PASSED) span.Fail(result.reason());
  span.End();
  installation_.DrainOutput();
  Tell(std::move(result));
  chronicle_.SetHidden(false);
  chronicle_.correlation().SetBackground(chronicle_.PhaseSpan("checks"));
  co_return Status{};
}

// Variables are expanded once for each check, so that a generated value is the
// same in all of its steps and another one in the next check. The compiler has
// seen every name in them; one that fails all the same stays as written.
void CheckRunner::BeginScope() {
  check_scope_ = scope_;
  for (const auto& [name, text] : input_.plan().vars()) {
    auto value = suite::ExpandJsonText(text, scope_);
    check_scope_.Set(name, value ? *std::move(value)
                                 : nlohmann::json::parse(text, nullptr, false));
  }
}

asio::awaitable<Expected<Outcome>> CheckRunner::RunCase(const Check& check,
                                                        const Case* row,
                                                        Deadline run_deadline,
                                                        CheckResult& result) {
  const auto start_limit =
      steps::ToMilliseconds(input_.plan().limits().start_timeout());
  ASSAY_CO_ASSIGN_OR_RETURN(
      broken_, co_await installation_.Prepare(
                   std::exchange(first_, false),
                   std::min(run_deadline,
                            steady_clock::now() + kResetLimit + start_limit)));
  if (!broken_.empty()) co_return steps::Failed(broken_);

  const auto begin = steady_clock::now();
  steps::Frame frame{
      .scope = check_scope_,
      .deadline = std::min(run_deadline,
                           begin + steps::ToMilliseconds(check.timeout())),
      .last = run_deadline,
      .span = {chronicle_.tracer().trace_id(), FromHex(result.span_id())}};
  if (row != nullptr) {
    frame.scope.Set("case", nlohmann::json::object());
    for (const auto& [name, text] : row->values()) {
      auto value = suite::ExpandJsonText(text, check_scope_);
      if (!value) co_return steps::Failed(value.error().message);
      frame.scope.SetMember("case", name, *std::move(value));
    }
  }
  Outcome outcome = co_await steps_.Run(check.steps(), frame, result);
  SetDuration(steady_clock::now() - begin, result);
  out_of_time_ = steady_clock::now() >= run_deadline;
  co_return CountDeath(std::move(outcome), result);
}

Outcome CheckRunner::CountDeath(Outcome outcome, CheckResult& result) {
  const auto death = installation_.FindDeath();
  if (!death) return outcome;
  result.set_service_deaths(result.service_deaths() + 1);
  if (!outcome.passed()) return outcome;
  // Every answer was right, and then it went down.
  const auto& requests = installation_.observations().requests;
  return steps::Failed(*death + (requests.empty()
                                     ? " during this check"
                                     : " after " + requests.back().title));
}

std::string CheckRunner::MissingNeed(const Check& check) const {
  for (const std::string& need : check.needs()) {
    const auto it = verdicts_.find(need);
    // A check that is not part of this run cannot be held against this one.
    if (it != verdicts_.end() && it->second != assay::v1::VERDICT_PASSED) {
      return need;
    }
  }
  return "";
}

CheckResult CheckRunner::MakeResult(const Check& check) const {
  CheckResult result;
  result.set_check_id(check.id());
  result.set_title(check.title());
  result.set_verdict(assay::v1::VERDICT_PASSED);
  result.set_points(check.points());
  result.set_hidden(check.hidden());
  result.set_bonus(check.bonus());
  result.set_position(steps::ShowPosition(check.position(), input_.plan()));
  return result;
}

void CheckRunner::Judge(const Check& check, double parts,
                        CheckResult& result) const {
  const double most =
      check.cap() > 0 ? std::min(check.cap(), check.points()) : check.points();
  double share = result.verdict() == assay::v1::VERDICT_PASSED ? 1 : 0;
  if (check.partial()) {
    const auto passed = [](const auto& part) {
      return part.verdict() == assay::v1::VERDICT_PASSED;
    };
    if (check.cases_size() > 0) {
      const auto whole =
          static_cast<double>(std::ranges::count_if(result.cases(), passed));
      share = (whole + parts) / check.cases_size();
    } else if (const int all = CountSteps(check.steps(), input_.plan())) {
      const auto whole =
          static_cast<double>(std::ranges::count_if(result.steps(), passed));
      share = std::min(1.0, (whole + parts) / all);
    }
  } else if (check.partial_by_step() &&
             result.verdict() == assay::v1::VERDICT_FAILED) {
    share = std::min(1.0, parts / std::max(1, check.cases_size()));
  }
  const bool ours = result.verdict() == assay::v1::VERDICT_ERRORED ||
                    result.verdict() == assay::v1::VERDICT_INCONCLUSIVE;
  const double earned = std::min(most, share * check.points());
  result.set_earned(ours || check.claimed() ? 0 : earned);
}

void CheckRunner::Skip(const Check& check, const std::string& reason) {
  CheckResult result = MakeResult(check);
  result.set_verdict(assay::v1::VERDICT_SKIPPED);
  result.set_reason(reason);
  Tell(std::move(result));
}

void CheckRunner::Tell(CheckResult result) {
  verdicts_[result.check_id()] = result.verdict();
  chronicle_.CheckFinished(std::move(result));
}

}  // namespace assay::run
