#ifndef ASSAY_RUNNER_RUN_COLLECTED_REPORTS_H_
#define ASSAY_RUNNER_RUN_COLLECTED_REPORTS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/error.h"

namespace assay::run {

// Takes the output of kCollectProcess apart: names and contents.
// INVALID_ARGUMENT, RESOURCE_EXHAUSTED: it is cut off.
Expected<std::vector<std::pair<std::string, std::string>>> ReadCollected(
    std::string_view output);

}  // namespace assay::run

#endif  // ASSAY_RUNNER_RUN_COLLECTED_REPORTS_H_
