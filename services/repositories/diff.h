#ifndef ASSAY_SERVICES_REPOSITORIES_DIFF_H_
#define ASSAY_SERVICES_REPOSITORIES_DIFF_H_

#include <git2.h>

#include <cstddef>
#include <string>

#include "proto/base/error.h"
#include "services/repositories/records.h"

namespace assay::repositories {

// How much of a diff is kept; counts of lines are exact for the files kept.
struct DiffLimits {
  std::size_t max_files = 1'000;
  std::size_t max_patch_bytes = 256 << 10;
  std::size_t max_total_bytes = 4 << 20;
  // A larger blob is shown as binary.
  std::int64_t max_blob_bytes = 4 << 20;
};

// What `new_commit` changes against `old_commit` (empty: the empty tree).
//
// Errors: kNotFound for a commit that is not there.
Expected<Diff> ReadDiff(git_repository* repository,
                        const std::string& old_commit,
                        const std::string& new_commit,
                        const DiffLimits& limits = {});

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_DIFF_H_
