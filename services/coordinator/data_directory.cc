#include "services/coordinator/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace assay::coordinator {

namespace fs = std::filesystem;

Expected<std::unique_ptr<DataDirectory>> DataDirectory::Open(fs::path path) {
  std::error_code error;
  path = fs::absolute(path, error);
  const bool fresh = !fs::exists(path, error);
  for (const char* name : {"", "blobs", "repositories", "spool"}) {
    fs::create_directories(path / name, error);
    if (error)
      return Unavailable("cannot make the data directory ",
                         (path / name).string(), ": ", error.message(),
                         ". Choose another with --data-dir");
  }
  // Candidates' work and the admin's token are nobody else's business.
  if (fresh) ::chmod(path.c_str(), 0700);
  const fs::path file = path / "lock";
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0)
    return Unavailable(
        "cannot write in the data directory ", path.string(), ": ",
        std::error_code(errno, std::generic_category()).message());
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return FailedPrecondition("another assayd is using ", path.string(),
                              ": stop it, or choose another --data-dir");
  }
  return std::unique_ptr<DataDirectory>(
      new DataDirectory(std::move(path), lock));
}

DataDirectory::DataDirectory(fs::path path, int lock)
    : path_(std::move(path)), lock_(lock) {}

DataDirectory::~DataDirectory() { ::close(lock_); }

}  // namespace assay::coordinator
