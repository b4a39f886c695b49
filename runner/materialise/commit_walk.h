#ifndef ASSAY_RUNNER_MATERIALISE_COMMIT_WALK_H_
#define ASSAY_RUNNER_MATERIALISE_COMMIT_WALK_H_

#include <string>

#include "proto/base/error.h"
#include "runner/materialise/git_handles.h"
#include "runner/materialise/tree_limits.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::materialise {

// Adds the tree of `commit` (40 hex digits) to `archive`, after it has been
// surveyed as a whole: a refused commit writes nothing. Symbolic links stay
// links. Does not write the archive's end.
//
// Errors: as TreeSurvey's, kDataLoss when `commit` is not there, and the
// writer's.
Status WalkCommit(git_repository* repository, const std::string& commit,
                  const TreeLimits& limits,
                  sandbox::TreeArchiveWriter& archive);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_COMMIT_WALK_H_
