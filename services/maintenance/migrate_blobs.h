#ifndef ASSAY_SERVICES_MAINTENANCE_MIGRATE_BLOBS_H_
#define ASSAY_SERVICES_MAINTENANCE_MIGRATE_BLOBS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "proto/base/error.h"

namespace assay::maintenance {

// The data directory's own folder, among places.
constexpr const char* kLocalBlobs = "local";

struct MovedBlobs {
  int total = 0;
  int copied = 0;
  // Sound at the new place before.
  int present = 0;
  std::int64_t bytes = 0;
};

struct BlobMove {
  std::filesystem::path data_dir;
  // s3://BUCKET[/PREFIX] or kLocalBlobs; empty: where they are now.
  std::string from;
  std::string to;
  // As for assayd, for whichever of the two is a bucket.
  std::string endpoint;
  std::string region;
  // Called now and then.
  std::function<void(const MovedBlobs&)> progress;
};

// Copies every blob, reads each back at its new place, and then writes down
// that the data directory goes with that. Cut off anywhere, it can be done
// again: what is there and sound is not copied twice. The old place is left as
// it is.
//
// Errors: kFailedPrecondition while an assayd has the data directory; kDataLoss
// for a blob that is not what its name says at both places.
Expected<MovedBlobs> MigrateBlobs(const BlobMove& move);

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_MIGRATE_BLOBS_H_
