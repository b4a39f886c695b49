#ifndef ASSAY_SERVICES_REPOSITORIES_PACK_WRITER_H_
#define ASSAY_SERVICES_REPOSITORIES_PACK_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "proto/base/error.h"
#include "services/repositories/records.h"
#include "services/repositories/tree_meter.h"

namespace assay::repositories {

// Writes the pack of `commit`, its trees and its blobs to `path`. Submodules
// are left out.
//
// Cost: each object is looked at once, however often trees repeat it.
// Errors: kResourceExhausted for a tree over a limit, kNotFound for a commit
// that is not there, kDataLoss for a tree whose objects are missing.
Expected<Pack> WriteCommitPack(const std::filesystem::path& repository,
                               const std::string& commit,
                               const std::filesystem::path& path,
                               const TreeLimits& limits = {});

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_PACK_WRITER_H_
