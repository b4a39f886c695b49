#ifndef ASSAY_SERVICES_ATTEMPTS_CLOCK_CHANGES_H_
#define ASSAY_SERVICES_ATTEMPTS_CLOCK_CHANGES_H_

#include <chrono>
#include <string>

#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/attempts/clock.h"
#include "services/storage/transaction.h"

namespace assay::attempts {

// Why a clock changes, and by whom.
struct ClockChange {
  std::string kind;  // "start", "extend", "pause", "resume", ...
  std::chrono::microseconds amount{0};
  std::string actor;
  std::string reason;
};

// Stores the next version of an attempt's clock with its event and its audit
// record, and judges the pushes again: receive time against the new cut-off.
// An attempt that was frozen is opened again when its cut-off moves back.
// Answers with the attempt as it is now.
//
// kAborted: the clock was changed meanwhile.
Expected<storage::AttemptRecord> ChangeClock(
    storage::Transaction& tx, const storage::AttemptRecord& attempt,
    const ClockRecord& clock, const ClockChange& change, Clock::TimePoint now);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_CLOCK_CHANGES_H_
