#ifndef ASSAY_SERVICES_DEADLINES_FREEZE_H_
#define ASSAY_SERVICES_DEADLINES_FREEZE_H_

#include <optional>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/storage/transaction.h"
#include "services/submissions/submit.h"

namespace assay::deadlines {

// What became of one attempt.
struct Frozen {
  // False: not due after all, or it waits for an open push.
  bool frozen = false;
  AttemptId attempt;
  // What the deadline handed in, if anything.
  std::optional<submissions::Submitted> submitted;
};

// Freezes `attempt` if it is due at `now`: in one transaction its state, the
// submission of its last push in time, and the final run.
Expected<Frozen> Freeze(storage::Transaction& tx, const AttemptId& attempt,
                        const std::string& graded_ref, Clock::TimePoint now);

}  // namespace assay::deadlines

#endif  // ASSAY_SERVICES_DEADLINES_FREEZE_H_
