#ifndef ASSAY_SERVICES_ATTEMPTS_PUSH_RUN_H_
#define ASSAY_SERVICES_ATTEMPTS_PUSH_RUN_H_

#include <vector>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/transaction.h"

namespace assay::attempts {

// The version by which an attempt's pushes are judged and graded: its own. The
// author's solution has none, and goes with the current one.
Expected<storage::AssignmentRecord> AssignmentOf(
    storage::Transaction& tx, const storage::AttemptRecord& attempt);

// Queues the run of a push by `assignment`, in the place of those of earlier
// pushes that still wait. The first change is the new run's.
Expected<std::vector<storage::RunChange>> QueuePushRun(
    storage::Transaction& tx, const storage::PushRecord& push,
    const storage::AttemptRecord& attempt,
    const storage::AssignmentRecord& assignment, Clock::TimePoint now);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_PUSH_RUN_H_
