#ifndef ASSAY_SERVICES_REPOSITORIES_TEMPLATE_OFFER_H_
#define ASSAY_SERVICES_REPOSITORIES_TEMPLATE_OFFER_H_

#include <git2.h>

#include <filesystem>
#include <string>

#include "proto/base/error.h"

namespace assay::repositories {

// Writes a commit with the tree of `template_commit`, whose store is at
// `template_store`, on top of `base_commit`, which is in `repository`. So a
// merge takes over what changed between the two templates, and nothing else.
// Copies the objects: whatever a repository borrows is of its own template.
// The same commits give the same commit; no ref is touched.
Expected<std::string> WriteOfferCommit(
    git_repository* repository, const std::filesystem::path& template_store,
    const std::string& base_commit, const std::string& template_commit);

// Makes `refs/heads/{branch}` point at `commit`. It is well that it does
// already; kAlreadyExists when it points elsewhere.
Status WriteBranch(git_repository* repository, const std::string& branch,
                   const std::string& commit);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_TEMPLATE_OFFER_H_
