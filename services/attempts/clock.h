#ifndef ASSAY_SERVICES_ATTEMPTS_CLOCK_H_
#define ASSAY_SERVICES_ATTEMPTS_CLOCK_H_

#include <chrono>
#include <optional>

#include "assay/v1/assignment.pb.h"
#include "assay/v1/attempt.pb.h"
#include "proto/base/clock.h"
#include "proto/base/error.h"
#include "services/storage/tables/attempts.h"

// The rules of an attempt's clock, and nothing else: no I/O, no time but what
// is passed in. Each change answers with the next version of the clock.
//
//   deadline = start + duration x accommodation + pauses + extensions
//   cut_off  = min(deadline + grace, hard close)
//
// There is no deadline before the start and while paused; the hard close holds
// even then.
namespace assay::attempts {

using storage::ClockRecord;

// The factor on the time allowed, inclusive.
inline constexpr double kMinAccommodation = 1.0;
inline constexpr double kMaxAccommodation = 10.0;

// A clock that has not started, at version 0.
ClockRecord NewClock(const v1::AssignmentSpec& spec,
                     double accommodation = kMinAccommodation);

// kFailedPrecondition: it runs already.
Expected<ClockRecord> Start(ClockRecord clock, Clock::TimePoint now);

// Moves the deadline, also one that has passed. Negative amounts take earlier
// extensions back, but never more than there were.
// kFailedPrecondition: not started, or the hard close would hold all the same.
Expected<ClockRecord> Extend(ClockRecord clock,
                             std::chrono::microseconds amount);

// kFailedPrecondition: not started, paused already, or past its cut-off.
Expected<ClockRecord> Pause(ClockRecord clock, Clock::TimePoint now);
// kFailedPrecondition: not paused.
Expected<ClockRecord> Resume(ClockRecord clock, Clock::TimePoint now);

// Sets the factor on the time allowed, before the start or after it.
// kInvalidArgument: out of bounds.
Expected<ClockRecord> Accommodate(ClockRecord clock, double factor);

// Takes over what another version of the assignment allows. Nobody loses time:
// where it allows less, what the clock had stays.
ClockRecord Adopt(ClockRecord clock, const v1::AssignmentSpec& spec);

// Whether a push that was received at `time` is late.
bool IsLate(const ClockRecord& clock, Clock::TimePoint time);

v1::AttemptClock ToProto(const ClockRecord& clock);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_CLOCK_H_
