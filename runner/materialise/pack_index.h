#ifndef ASSAY_RUNNER_MATERIALISE_PACK_INDEX_H_
#define ASSAY_RUNNER_MATERIALISE_PACK_INDEX_H_

#include <string>

#include "proto/base/error.h"
#include "runner/materialise/git_handles.h"
#include "runner/materialise/tree_limits.h"

namespace assay::materialise {

// Indexes the pack that `pack_fd` reads from its start and opens it as an
// object store of its own. Writes the pack and its index into `scratch`, which
// must be empty and is the caller's to remove.
//
// Errors: kResourceExhausted when over a limit, kDataLoss for a pack that is
// damaged, kUnavailable when `scratch` cannot be written.
Expected<GitRepository> OpenPack(int pack_fd, const std::string& scratch,
                                 const TreeLimits& limits);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_PACK_INDEX_H_
