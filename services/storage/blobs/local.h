#ifndef ASSAY_SERVICES_STORAGE_BLOBS_LOCAL_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_LOCAL_H_

#include <filesystem>
#include <memory>

#include "services/storage/blobs/blob_store.h"

namespace assay::storage {

// Blobs as files of a directory: `{first two digits}/{digest}`. Written beside
// their place, flushed, then renamed, and the directory flushed.
Expected<std::unique_ptr<BlobStore>> OpenLocalBlobs(
    const std::filesystem::path& directory);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_LOCAL_H_
