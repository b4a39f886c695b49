#ifndef ASSAY_SERVICES_REPOSITORIES_PACK_WRITER_H_
#define ASSAY_SERVICES_REPOSITORIES_PACK_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "proto/base/error.h"
#include "services/repositories/records.h"

namespace assay::repositories {

// What a commit may unpack to. A dozen tree objects can name a thousand
// million files, so sizes are counted as they would be checked out.
struct TreeLimits {
  std::int64_t max_files = 50'000;
  std::int64_t max_bytes = std::int64_t{1} << 30;
  int max_depth = 64;
};

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
