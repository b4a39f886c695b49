#ifndef ASSAY_SERVICES_REPOSITORIES_LEFTOVERS_H_
#define ASSAY_SERVICES_REPOSITORIES_LEFTOVERS_H_

#include <cstdint>
#include <filesystem>

#include "proto/base/error.h"

namespace assay::repositories {

// Removes the locks and the quarantined objects of a git that was killed. Only
// while no git works in `repository`.
Status RemoveLeftovers(const std::filesystem::path& repository);

// Bytes of the files in `objects/pack`.
Expected<std::int64_t> PackedBytes(const std::filesystem::path& repository);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_LEFTOVERS_H_
