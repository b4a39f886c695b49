#ifndef ASSAY_RUNNER_STEPS_SQL_STEP_H_
#define ASSAY_RUNNER_STEPS_SQL_STEP_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "assay/plan/v1/plan.pb.h"
#include "runner/assertions/schemas.h"
#include "runner/steps/frame.h"
#include "runner/steps/outcome.h"
#include "runner/steps/surroundings.h"
#include "runner/telemetry/redactor.h"

namespace assay::steps {

// Runs a statement on a sidecar and compares its rows.
boost::asio::awaitable<Outcome> RunSqlStep(const assay::plan::v1::SqlStep& step,
                                           Frame& frame,
                                           Surroundings& surroundings,
                                           assertions::Schemas& schemas,
                                           telemetry::Redactor& redactor,
                                           std::chrono::milliseconds limit);

// Rows as arrays in the order of the columns: numbers, booleans, null and json
// by their type, everything else as PostgreSQL writes it.
nlohmann::json RowsAsJson(const wires::SqlResult& result);

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_SQL_STEP_H_
