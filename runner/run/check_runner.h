#ifndef ASSAY_RUNNER_RUN_CHECK_RUNNER_H_
#define ASSAY_RUNNER_RUN_CHECK_RUNNER_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "assay/runner/v1/run_input.pb.h"
#include "assay/v1/check.pb.h"
#include "runner/run/chronicle.h"
#include "runner/run/installation.h"
#include "runner/steps/step_runner.h"
#include "runner/suite/template.h"

namespace assay::run {

// Executes checks, one after the other, and judges them.
//
// Ownership: borrows everything.
// Threads: confined to the run's thread.
class CheckRunner {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  CheckRunner(const assay::runner::v1::RunInput& input,
              Installation& installation, Chronicle& chronicle);

  // Runs `check` and tells its result. An Error is ours and ends the run.
  boost::asio::awaitable<Status> Run(const assay::plan::v1::Check& check,
                                     Deadline run_deadline);
  // Tells `check` as not run, because of `reason`.
  void Skip(const assay::plan::v1::Check& check, const std::string& reason);

  // A service that could not be started again; empty: none.
  const std::string& broken() const { return broken_; }
  bool ran_out_of_time() const { return out_of_time_; }

 private:
  boost::asio::awaitable<Expected<steps::Outcome>> RunCase(
      const assay::plan::v1::Check& check, const assay::plan::v1::Case* row,
      Deadline run_deadline, assay::v1::CheckResult& result);
  void BeginScope();
  // The check that `check` needs and that did not pass; empty: none.
  std::string MissingNeed(const assay::plan::v1::Check& check) const;
  steps::Outcome CountDeath(steps::Outcome outcome,
                            assay::v1::CheckResult& result);
  // `parts`: what steps that did not pass are worth together, each up to 1.
  void Judge(const assay::plan::v1::Check& check, double parts,
             assay::v1::CheckResult& result) const;
  assay::v1::CheckResult MakeResult(const assay::plan::v1::Check& check) const;
  void Tell(assay::v1::CheckResult result);

  const assay::runner::v1::RunInput& input_;
  Installation& installation_;
  Chronicle& chronicle_;
  steps::StepRunner steps_;
  // What every check's names begin with, and those of the check that runs.
  suite::Scope scope_;
  suite::Scope check_scope_;
  std::map<std::string, assay::v1::Verdict> verdicts_;
  bool first_ = true;
  std::string broken_;
  bool out_of_time_ = false;
};

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_CHECK_RUNNER_H_
