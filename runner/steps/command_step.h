#ifndef ASSAY_RUNNER_STEPS_COMMAND_STEP_H_
#define ASSAY_RUNNER_STEPS_COMMAND_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"

namespace assay::steps {

// Runs a command in its cell and judges it by its end and its reports.
boost::asio::awaitable<Outcome> RunCommandStep(
    const assay::plan::v1::CommandStep& step, const Frame& frame,
    Surroundings& surroundings, assertions::Schemas& schemas,
    std::chrono::milliseconds limit);

// What the reports of a command say: the cases of a framework.
struct ReportSummary {
  std::vector<assay::v1::CheckResult::Case> cases;
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t skipped = 0;
  // Why they are no success; empty: they are.
  std::string problem;

  std::int64_t executed() const { return passed + failed; }
};
// `format` as in CommandStep. Fewer cases executed than `min_cases`, which is
// at least one, are a problem whatever the others say.
ReportSummary SummariseReports(const std::string& format, int min_cases,
                               const CommandRun& run);
// `import_path` of a step, as what its cell has to do for it.
CommandWanted WantedReports(int index, const std::string& import_format,
                            const std::string& import_path);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_COMMAND_STEP_H_
