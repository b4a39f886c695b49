#ifndef ASSAY_RUNNER_MATERIALISE_COMMIT_WALK_H_
#define ASSAY_RUNNER_MATERIALISE_COMMIT_WALK_H_

#include <string>

#include "proto/base/error.h"
#include "runner/materialise/git_handles.h"
#include "runner/materialise/tree_limits.h"
#include "runner/materialise/tree_sink.h"

namespace assay::materialise {

// Hands the tree of `commit` (40 hex digits) to `sink`, after it has been
// surveyed as a whole: a refused commit writes nothing.
//
// Errors: as TreeSurvey's, kDataLoss when `commit` is not there, and the
// sink's.
Status WalkCommit(git_repository* repository, const std::string& commit,
                  const TreeLimits& limits, TreeSink& sink);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_COMMIT_WALK_H_
