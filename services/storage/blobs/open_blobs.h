#ifndef ASSAY_SERVICES_STORAGE_BLOBS_OPEN_BLOBS_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_OPEN_BLOBS_H_

#include <filesystem>
#include <memory>
#include <string>

#include "services/storage/blobs/blob_store.h"
#include "services/storage/blobs/s3_settings.h"

namespace assay::storage {

// A file of the data directory: the place of its blobs, where that is not its
// own folder.
constexpr const char* kBlobsPlaceFile = "blobs.place";
constexpr const char* kBlobsFolder = "blobs";

// The bucket or the folder of `place`, or the folder `blobs` of the data
// directory where it names none. Opens no place but the one that the data
// directory goes with: a new one has none yet, and goes with a bucket from the
// first time that it answers.
//
// Errors: kFailedPrecondition for another place, and for what somebody has to
// change about an S3 store; kUnavailable for a bucket that does not answer and
// was not used before; kInvalidArgument for what is no place.
Expected<std::unique_ptr<BlobStore>> OpenBlobs(
    const BlobPlace& place, const std::filesystem::path& data_dir);

// The same without regard to what goes with what, for a move. `is_new`: nothing
// is known of this bucket yet, so that it has to answer.
Expected<std::unique_ptr<BlobStore>> OpenBlobsAt(
    const BlobPlace& place, const std::filesystem::path& data_dir,
    bool is_new = false);
// Empty: the data directory's own folder.
std::string ReadBlobsPlace(const std::filesystem::path& data_dir);
Status WriteBlobsPlace(const std::filesystem::path& data_dir,
                       const std::string& location);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_OPEN_BLOBS_H_
