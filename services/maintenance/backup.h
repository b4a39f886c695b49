#ifndef ASSAY_SERVICES_MAINTENANCE_BACKUP_H_
#define ASSAY_SERVICES_MAINTENANCE_BACKUP_H_

#include <cstdint>
#include <filesystem>

#include "proto/base/error.h"
#include "services/storage/blobs/s3_settings.h"

namespace assay::maintenance {

struct BackupReport {
  int files = 0;
  int repositories = 0;
  std::int64_t bytes = 0;
};

// Copies an installation to `to`, a directory that is not there yet, while an
// assayd goes on serving it.
//
// The backup is the installation at one moment, that of its store: every push
// that was accepted by then is in it with its objects, none that came after.
// It holds because of the order: an object is on the disk before its row is,
// and the store is copied before the objects are; refs are then written as the
// store's rows say, not copied.
//
// Blobs of a bucket stay there: nothing removes them, and the backup says which
// bucket it goes with.
//
// Nothing is erased or tidied meanwhile. A backup that is cut off leaves
// `to`.partial, and never a `to`.
//
// Errors: kNotFound where there is no installation, kAlreadyExists for `to`,
// kUnavailable while something is being tidied.
Expected<BackupReport> Backup(const std::filesystem::path& data_dir,
                              const std::filesystem::path& to);

// Makes the data directory `data_dir`, which is not there yet, of a backup.
// Every file is held against the manifest, and the whole against itself (fsck),
// before it gets its name. `blobs`: as assayd's --blobs, where the backup goes
// with a bucket.
//
// Errors: kAlreadyExists for `data_dir`, kNotFound and kDataLoss for a backup
// that is not whole.
Expected<BackupReport> Restore(const std::filesystem::path& backup,
                               const std::filesystem::path& data_dir,
                               const storage::BlobPlace& blobs = {});

// Keeps what must not change during a backup: held shared by a backup, and
// alone by whoever removes something.
class MaintenanceLock {
 public:
  enum class Kind { kBackup, kRemoval };
  // kUnavailable: the other kind has it.
  static Expected<MaintenanceLock> Take(const std::filesystem::path& data_dir,
                                        Kind kind);
  MaintenanceLock(MaintenanceLock&& other) noexcept;
  MaintenanceLock& operator=(MaintenanceLock&&) = delete;
  ~MaintenanceLock();

 private:
  explicit MaintenanceLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace assay::maintenance

#endif  // ASSAY_SERVICES_MAINTENANCE_BACKUP_H_
