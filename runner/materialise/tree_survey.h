#ifndef ASSAY_RUNNER_MATERIALISE_TREE_SURVEY_H_
#define ASSAY_RUNNER_MATERIALISE_TREE_SURVEY_H_

#include <cstdint>
#include <map>
#include <string>

#include "proto/base/error.h"
#include "runner/materialise/git_handles.h"
#include "runner/materialise/tree_limits.h"

namespace assay::materialise {

// Adds up what a tree would unpack to, visiting each distinct object once: a
// tree of 12 objects that unfolds to 10^9 files is refused after 12 visits.
// Also refuses what must not be unpacked: gitlinks, bad names, names that
// stand twice in one tree.
//
// Ownership: borrows `repository`.
// Errors: kResourceExhausted over a limit, kInvalidArgument for a refused
// entry, kDataLoss for an object that is missing.
class TreeSurvey {
 public:
  TreeSurvey(git_repository* repository, const TreeLimits& limits);

  Status Check(const git_oid& tree);

 private:
  struct Totals {
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
    std::int64_t depth = 0;
    // Of the longest path.
    std::int64_t path_bytes = 0;
  };
  Expected<Totals> Measure(const git_oid& tree, const std::string& path,
                           std::int64_t depth);
  Expected<Totals> MeasureEntry(const git_tree_entry* entry,
                                const std::string& directory,
                                std::int64_t depth);
  Expected<std::int64_t> BlobSize(const git_oid& blob, const std::string& path);
  Status CheckTotals(const Totals& totals) const;

  git_repository* repository_;
  GitOdb odb_;
  const TreeLimits limits_;
  std::map<git_oid, Totals, OidLess> trees_;
};

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_TREE_SURVEY_H_
