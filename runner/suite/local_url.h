#ifndef ASSAY_RUNNER_SUITE_LOCAL_URL_H_
#define ASSAY_RUNNER_SUITE_LOCAL_URL_H_

#include <cstdint>
#include <string>

#include "proto/base/error.h"

namespace assay::suite {

// The port of a server that a suite may be run against without a solution's
// folder: on this machine and without a path, like http://localhost:3000.
// INVALID_ARGUMENT: anything else.
Expected<std::uint16_t> PortOfUrl(const std::string& url);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_LOCAL_URL_H_
