#ifndef ASSAY_RUNNER_MATERIALISE_TREE_LIMITS_H_
#define ASSAY_RUNNER_MATERIALISE_TREE_LIMITS_H_

#include <cstdint>

namespace assay::materialise {

// How much a commit or a directory may unpack to, and what reading it may
// cost. Whoever breaks one is told which, with both numbers.
struct TreeLimits {
  // Files, directories and symbolic links together.
  std::int64_t entries = 200'000;
  std::int64_t depth = 64;
  std::int64_t file_bytes = std::int64_t{256} << 20;
  std::int64_t total_bytes = std::int64_t{1} << 30;
  // Of a pack.
  std::int64_t objects = 400'000;
  std::int64_t pack_bytes = std::int64_t{1} << 30;
  // Of the process that parses a pack.
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  std::int64_t cpu_seconds = 60;
};

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_TREE_LIMITS_H_
