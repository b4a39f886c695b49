#ifndef ASSAY_SERVICES_REPOSITORIES_HISTORY_H_
#define ASSAY_SERVICES_REPOSITORIES_HISTORY_H_

#include <git2.h>

#include <string>
#include <vector>

#include "proto/base/error.h"
#include "services/repositories/records.h"

namespace assay::repositories {

// Reads commits of an open repository. What candidates wrote is made valid
// UTF-8 and cut; nothing of it is trusted.
//
// Errors: kNotFound for a commit that is not there.

Expected<CommitInfo> ReadCommit(git_repository* repository,
                                const std::string& commit);
Expected<std::vector<CommitInfo>> ReadHistory(git_repository* repository,
                                              const std::string& commit,
                                              int limit);
Expected<bool> IsAncestor(git_repository* repository,
                          const std::string& ancestor,
                          const std::string& commit);
Expected<std::vector<RefTip>> ReadRefs(git_repository* repository);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_HISTORY_H_
