#ifndef ASSAY_SERVICES_ATTEMPTS_TIME_TEXT_H_
#define ASSAY_SERVICES_ATTEMPTS_TIME_TEXT_H_

#include <string>

#include "proto/base/clock.h"

namespace assay::attempts {

// "2026-01-31 12:34:56.789 UTC", for sentences that people read.
std::string TimeText(Clock::TimePoint time);

}  // namespace assay::attempts

#endif  // ASSAY_SERVICES_ATTEMPTS_TIME_TEXT_H_
