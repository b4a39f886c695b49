#ifndef ASSAY_SERVICES_RUNS_RUN_PROTO_H_
#define ASSAY_SERVICES_RUNS_RUN_PROTO_H_

#include <cstdint>
#include <vector>

#include "assay/v1/check.pb.h"
#include "assay/v1/run.pb.h"
#include "services/storage/tables/runs.h"

namespace assay::runs {

// The run as the API shows it to somebody who may see everything.
v1::Run ToProto(const storage::RunRecord& run,
                const std::vector<v1::CheckResult>& results,
                std::int32_t queue_position);

// A run that is about to be queued: fresh id, trace and seed.
storage::RunRecord NewRun();

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_RUN_PROTO_H_
