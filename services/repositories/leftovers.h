#ifndef ASSAY_SERVICES_REPOSITORIES_LEFTOVERS_H_
#define ASSAY_SERVICES_REPOSITORIES_LEFTOVERS_H_

#include <filesystem>

#include "proto/base/error.h"

namespace assay::repositories {

// Removes the locks and the quarantined objects of a git that was killed. Only
// while no git works in `repository`.
Status RemoveLeftovers(const std::filesystem::path& repository);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_LEFTOVERS_H_
