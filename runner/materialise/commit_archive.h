#ifndef ASSAY_RUNNER_MATERIALISE_COMMIT_ARCHIVE_H_
#define ASSAY_RUNNER_MATERIALISE_COMMIT_ARCHIVE_H_

#include <string>

#include "proto/base/error.h"
#include "runner/materialise/tree_limits.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::materialise {

struct CommitSource {
  // Reads the pack from where it stands.
  int pack_fd = -1;
  // 40 hex digits.
  std::string commit;
  // A folder for temporary files; made when absent.
  std::string scratch;
  // The program assay-unpack, which parses the pack.
  std::string program;
};

// Turns a commit into a tree archive (sandbox/cell/tree_archive.h) in a sealed
// file in memory. The pack is parsed by a child with rlimits and without
// privileges. Blocks for as long as that takes, which the limits bound.
//
// Errors: kInvalidArgument and kResourceExhausted are the commit's fault, with
// a sentence for its author; all others are ours.
Expected<sandbox::UniqueFd> ArchiveCommit(const CommitSource& source,
                                          const TreeLimits& limits);

// True for an error of ArchiveCommit that the commit's author answers for.
inline bool IsCommitsFault(const Error& error) {
  return error.code == Code::kInvalidArgument ||
         error.code == Code::kResourceExhausted;
}

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_COMMIT_ARCHIVE_H_
