#ifndef ASSAY_SERVICES_ASSIGNMENTS_TIME_ZONE_H_
#define ASSAY_SERVICES_ASSIGNMENTS_TIME_ZONE_H_

#include <string>

#include "proto/base/error.h"

namespace assay::assignments {

// Whether `zone` is a name like "Europe/Berlin" or "UTC" that this machine's
// list of zones knows; where there is no list, the form decides.
// kInvalidArgument says what is expected.
Status CheckTimeZone(const std::string& zone);

}  // namespace assay::assignments

#endif  // ASSAY_SERVICES_ASSIGNMENTS_TIME_ZONE_H_
