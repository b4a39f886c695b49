#ifndef ASSAY_RUNNER_MATERIALISE_DIRECTORY_ARCHIVE_H_
#define ASSAY_RUNNER_MATERIALISE_DIRECTORY_ARCHIVE_H_

#include <string>

#include "proto/base/error.h"
#include "runner/materialise/tree_limits.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::materialise {

// Turns a directory of the author's into a tree archive, as ArchiveCommit does
// with a commit: files, directories and symbolic links, without any `.git`.
//
// Errors: kNotFound, kInvalidArgument for another kind of file (a socket, a
// device), kResourceExhausted over a limit.
Expected<sandbox::UniqueFd> ArchiveDirectory(const std::string& directory,
                                             const TreeLimits& limits);

}  // namespace assay::materialise

#endif  // ASSAY_RUNNER_MATERIALISE_DIRECTORY_ARCHIVE_H_
