#ifndef ASSAY_SERVICES_ATTEMPTS_TIMELINE_H_
#define ASSAY_SERVICES_ATTEMPTS_TIMELINE_H_

#include <vector>

#include "assay/v1/attempt.pb.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"
#include "services/storage/transaction.h"

namespace assay::attempts {

// What happened to an attempt, oldest first, as `caller` may see it:
// candidates learn neither who changed their clock nor what was decided.
Expected<std::vector<v1::TimelineEntry>> ReadTimeline(
    storage::Transaction& tx, const AttemptId& attempt,
    const rpc::Caller& caller);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_TIMELINE_H_
