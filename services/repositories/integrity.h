#ifndef ASSAY_SERVICES_REPOSITORIES_INTEGRITY_H_
#define ASSAY_SERVICES_REPOSITORIES_INTEGRITY_H_

#include <git2.h>

#include <string>
#include <vector>

#include "proto/base/error.h"

namespace assay::repositories {

// Reads every object that the refs reach and hashes it again. Answers with a
// sentence for each problem, at most 100; none when all is well.
Expected<std::vector<std::string>> CheckReachable(git_repository* repository);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_INTEGRITY_H_
