#ifndef ASSAY_RUNNER_STEPS_SCAN_ADVICE_H_
#define ASSAY_RUNNER_STEPS_SCAN_ADVICE_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "assay/plan/v1/plan.pb.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"

namespace assay::steps {

// A table that a plan reads from end to end.
struct SequentialScan {
  std::string schema;
  std::string table;
  // What it keeps of the rows, as PostgreSQL writes it; empty: everything.
  std::string filter;
};

// Those of a plan that EXPLAIN wrote in JSON, each table once. Empty for a text
// that is none.
std::vector<SequentialScan> FindScans(std::string_view explained);

// Explains the statements that `step` means on their sidecar, and names those
// that read a table of more rows than allowed from end to end: advice with a
// step that passes, or its failure where the suite says so. What could not be
// explained is never held against anybody.
boost::asio::awaitable<Outcome> CheckSequentialScans(
    const assay::plan::v1::TraceStep& step, Surroundings& surroundings,
    Surroundings::Deadline deadline);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_SCAN_ADVICE_H_
