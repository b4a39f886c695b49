#ifndef ASSAY_SERVICES_REPOSITORIES_BUNDLE_H_
#define ASSAY_SERVICES_REPOSITORIES_BUNDLE_H_

#include <git2.h>

#include <string>
#include <vector>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"

namespace assay::repositories {

// Everything that the refs of a repository and `commits` reach and its template
// does not, as a git bundle (version 2) that needs the template's commit. Of
// `commits`, those that are not there are left out. Empty when there is nothing
// but the template.
Expected<std::string> WriteBundle(git_repository* repository,
                                  const std::string& template_commit,
                                  const std::vector<std::string>& commits);

// Brings a repository of the same template to what `bundle` says: its objects,
// and exactly its refs, but for refs of submissions that it does not name.
// Durable when it returns. Repeats are harmless.
//
// kDataLoss: it is no such bundle, or an object is missing.
Status ApplyBundle(git_repository* repository, const std::string& bundle,
                   const std::string& template_commit);

// The files of a template's commit.
Expected<v1::FileTree> ReadTemplateFiles(git_repository* store,
                                         const std::string& commit);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_BUNDLE_H_
