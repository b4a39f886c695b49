#ifndef ASSAY_SERVICES_STORAGE_BLOBS_S3_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_S3_H_

#include <memory>

#include "services/storage/blobs/blob_store.h"
#include "services/storage/blobs/s3_settings.h"

namespace assay::storage {

// Blobs as objects of a bucket: `{prefix}{first two digits}/{digest}`, the same
// names as in a local directory. Content goes up whole or in parts, with its
// digest signed, and what comes back is held against its name.
//
// Losses of the connection, silence and 5xx are tried again within the limits.
// A store that is down at the start is waited for, unless it is one of which
// nothing is known yet; what somebody has to change (credentials, bucket,
// region, clock) is refused there.
//
// Errors, from here: kFailedPrecondition for what has to be changed;
// kUnavailable for a new one that does not answer.
Expected<std::unique_ptr<BlobStore>> OpenS3Blobs(S3Settings settings,
                                                 bool is_new = false);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_S3_H_
