#ifndef ASSAY_SERVICES_MAINTENANCE_FSCK_H_
#define ASSAY_SERVICES_MAINTENANCE_FSCK_H_

#include <filesystem>
#include <string>

#include "proto/base/error.h"
#include "services/maintenance/finding.h"
#include "services/storage/blobs/s3_settings.h"

namespace assay::maintenance {

struct FsckOptions {
  std::filesystem::path data_dir;
  // As assayd's --store.
  std::string store;
  // As assayd's --blobs.
  storage::BlobPlace blobs;
  // Put right what can be; no assayd may use the data directory.
  bool mend = false;
  // Leave out what reads every object and every blob.
  bool quick = false;
};

struct FsckReport {
  Findings findings;
  int repositories = 0;
  int blobs = 0;
  int audit_records = 0;

  bool broken() const;
};

// Compares the store, the repositories and the blobs of an installation with
// each other, and each with itself. Without `mend` it only reads, also while
// an assayd serves.
//
// Mending adds what rows, templates and submissions say how to: refs, links,
// leftovers. It never removes an object, a row or a blob.
//
// Errors: kNotFound where there is no installation, kFailedPrecondition for
// mending one that is in use.
Expected<FsckReport> Fsck(const FsckOptions& options);

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_FSCK_H_
