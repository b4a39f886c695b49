#include "runner/steps/mutants_step.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "runner/steps/command_step.h"

namespace assay::steps {

namespace asio = boost::asio;
using assay::plan::v1::MutantsStep;
using std::chrono::milliseconds;

namespace {

// A broken service may make tests wait: they get several times what they took
// against the sound one.
constexpr int kPatience = 5;
constexpr milliseconds kLeastPatience{5'000};

// SplitMix64: the same order from the same seed on every machine.
std::uint64_t Next(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// What one run of the tests came to.
struct Trial {
  bool passed = false;
  // It ran cases at all, and ended by itself or by hanging.
  bool judged = false;
  std::string reason;
};

Trial Judge(const MutantsStep& step, const CommandRun& run) {
  Trial trial;
  if (run.timed_out) {
    trial.judged = true;
    trial.reason = "they did not end in time";
    return trial;
  }
  trial.judged = run.exit_code.has_value();
  trial.passed = run.exit_code == 0;
  if (!trial.passed) {
    trial.reason = "they " + run.ending + (run.last_words.empty() ? "" : ": ") +
                   run.last_words;
  }
  if (step.import_format().empty()) return trial;
  const ReportSummary summary =
      SummariseReports(step.import_format(), step.min_cases(), run);
  trial.judged = trial.judged && summary.executed() > 0;
  trial.passed = trial.passed && summary.problem.empty();
  if (!summary.problem.empty()) trial.reason = summary.problem;
  return trial;
}

// The runs of a step, and what they have shown so far.
class Trials {
 public:
  Trials(const MutantsStep& step, Surroundings& surroundings,
         Surroundings::Deadline deadline)
      : step_(step), surroundings_(surroundings), deadline_(deadline) {
    wanted_ =
        WantedReports(step.index(), step.import_format(), step.import_path());
    wanted_.fill = true;
    for (const auto& variant : step.variants()) {
      auto& told = cases_.emplace_back();
      told.set_name(variant.name());
      told.set_verdict(assay::v1::VERDICT_SKIPPED);
    }
  }

  // What ends the step, if anything does.
  asio::awaitable<std::optional<Outcome>> Run(int variant) {
    if (std::chrono::steady_clock::now() >= deadline_) {
      co_return TimedOut("there was no time for the remaining variants");
    }
    auto run = co_await surroundings_.RunAgainst(variant, wanted_, deadline_);
    if (!run) co_return Errored(Name(variant) + ": " + run.error().message);
    if (run->ours) co_return Errored("the tests " + run->ending);
    const bool hung = run->timed_out;
    if (hung && std::chrono::steady_clock::now() >= deadline_) {
      co_return TimedOut("the tests did not end within the check's time");
    }
    const Trial trial = Judge(step_, *run);
    if (variant != kReference) {
      Tell(cases_[static_cast<std::size_t>(variant)], trial);
      co_return std::nullopt;
    }
    if (!trial.passed) {
      co_return Failed(
          (wanted_.limit.count() > 0
               ? "the tests passed against a sound service and "
                 "failed against the same one later: "
               : "the tests do not pass against a sound service: ") +
          trial.reason);
    }
    wanted_.limit = std::max(kLeastPatience, kPatience * run->took);
    co_return std::nullopt;
  }

  // Of all variants. What the tests came to is nothing where `end` says so.
  Outcome Finish(std::optional<Outcome> end) {
    const auto caught = std::ranges::count_if(cases_, [](const auto& told) {
      return told.verdict() == assay::v1::VERDICT_PASSED;
    });
    const auto all = static_cast<std::ptrdiff_t>(cases_.size());
    Outcome outcome = end.value_or(Outcome{});
    if (!end) {
      outcome.share = static_cast<double>(caught) / static_cast<double>(all);
      if (caught < all) {
        outcome.verdict = assay::v1::VERDICT_FAILED;
        outcome.reason = "the tests caught " + std::to_string(caught) + " of " +
                         std::to_string(all) + " variants";
      }
    } else {
      // Whatever was caught by then, the tests cannot be relied on.
      for (auto& told : cases_) told.set_verdict(assay::v1::VERDICT_SKIPPED);
    }
    outcome.cases = std::move(cases_);
    return outcome;
  }

 private:
  std::string Name(int variant) const {
    return variant == kReference
               ? "the reference"
               : "the variant \"" + step_.variants(variant).name() + "\"";
  }
  static void Tell(assay::v1::CheckResult::Case& told, const Trial& trial) {
    const bool caught = trial.judged && !trial.passed;
    told.set_verdict(caught ? assay::v1::VERDICT_PASSED
                            : assay::v1::VERDICT_FAILED);
    told.set_reason(caught         ? ""
                    : trial.passed ? "the tests passed"
                                   : "the tests did not run: " + trial.reason);
  }

  const MutantsStep& step_;
  Surroundings& surroundings_;
  const Surroundings::Deadline deadline_;
  CommandWanted wanted_;
  std::vector<assay::v1::CheckResult::Case> cases_;
};

}  // namespace

std::vector<int> OrderOfRuns(int variants, std::uint64_t seed) {
  std::vector<int> order = {kReference};
  for (int i = 0; i < variants; ++i) order.push_back(i);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[Next(seed) % (i + 1)]);
  }
  return order;
}

asio::awaitable<Outcome> RunMutantsStep(const MutantsStep& step,
                                        const Frame& frame,
                                        Surroundings& surroundings) {
  Trials trials(step, surroundings, frame.deadline);
  std::optional<Outcome> end = co_await trials.Run(kReference);
  // Not the seed of the run, which suites may hand to programs.
  const auto moment = static_cast<std::uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count());
  for (const int variant : OrderOfRuns(step.variants_size(), moment)) {
    if (end) break;
    end = co_await trials.Run(variant);
  }
  co_return trials.Finish(std::move(end));
}

}  // namespace assay::steps
