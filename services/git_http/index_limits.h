#ifndef ASSAY_SERVICES_GIT_HTTP_INDEX_LIMITS_H_
#define ASSAY_SERVICES_GIT_HTTP_INDEX_LIMITS_H_

#include <chrono>
#include <cstdint>

namespace assay::git_http {

// What indexing one push may take. Large enough for a file of the largest size
// that is taken, as a delta against another.
struct IndexLimits {
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  int cpu_seconds = 60;
  // For looking through what has arrived.
  std::chrono::milliseconds judge_time{20'000};
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_INDEX_LIMITS_H_
