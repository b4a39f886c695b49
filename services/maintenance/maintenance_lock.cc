#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "services/maintenance/backup.h"

namespace assay::maintenance {

Expected<MaintenanceLock> MaintenanceLock::Take(
    const std::filesystem::path& data_dir, Kind kind) {
  const std::filesystem::path file = data_dir / "maintenance.lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("open " + file.string(), errno);
  MaintenanceLock lock(fd);
  const int how = kind == Kind::kBackup ? LOCK_SH : LOCK_EX;
  if (::flock(fd, how | LOCK_NB) == 0) return lock;
  return Unavailable(kind == Kind::kBackup
                         ? "something is being tidied away right now; try "
                           "again in a minute"
                         : "a backup is being made, and nothing may go "
                           "meanwhile: nothing was changed; do it again when "
                           "the backup is done");
}

MaintenanceLock::MaintenanceLock(MaintenanceLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

MaintenanceLock::~MaintenanceLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace assay::maintenance
