#include "tests/testing/flush_log.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace assay::testing {
namespace {

namespace fs = std::filesystem;

struct Flush {
  dev_t device;
  ino_t inode;
  off_t size;
  // Of a directory: what was in it.
  std::set<std::string> names;
};

std::mutex mutex;
bool noting = false;
std::vector<Flush> flushes;

bool IsOf(const Flush& flush, const struct stat& status) {
  return flush.device == status.st_dev && flush.inode == status.st_ino;
}

void Note(int fd) {
  const std::lock_guard lock(mutex);
  struct stat status{};
  if (!noting || fstat(fd, &status) != 0) return;
  Flush flush{status.st_dev, status.st_ino, status.st_size, {}};
  std::error_code ignored;
  if (S_ISDIR(status.st_mode))
    for (const auto& entry :
         fs::directory_iterator("/proc/self/fd/" + std::to_string(fd), ignored))
      flush.names.insert(entry.path().filename().string());
  flushes.push_back(std::move(flush));
}

template <class Holds>
bool Any(const fs::path& path, Holds holds) {
  const std::lock_guard lock(mutex);
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return false;
  return std::ranges::any_of(flushes, [&](const Flush& flush) {
    return IsOf(flush, status) && holds(flush, status);
  });
}

}  // namespace

FlushLog::FlushLog() {
  const std::lock_guard lock(mutex);
  flushes.clear();
  noting = true;
}

FlushLog::~FlushLog() {
  const std::lock_guard lock(mutex);
  noting = false;
}

bool FlushLog::HasContent(const fs::path& file) const {
  return Any(file, [](const Flush& flush, const struct stat& now) {
    return flush.size == now.st_size;
  });
}

bool FlushLog::HasName(const fs::path& path) const {
  return Any(path.parent_path(), [&](const Flush& flush, const struct stat&) {
    return flush.names.contains(path.filename().string());
  });
}

}  // namespace assay::testing

// In place of libc's, for the whole program.
extern "C" int fsync(int fd) {
  assay::testing::Note(fd);
  return static_cast<int>(syscall(SYS_fsync, fd));
}

extern "C" int fdatasync(int fd) {
  assay::testing::Note(fd);
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
