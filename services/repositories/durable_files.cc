#include "services/repositories/durable_files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

namespace assay::repositories {
namespace {

Status SyncPath(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return SystemError("open " + path.string(), errno);
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (result != 0) return SystemError("fsync " + path.string(), error);
  return {};
}

Status WriteAll(int fd, std::string_view bytes,
                const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write " + path.string(), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return SystemError("fsync " + path.string(), errno);
  return {};
}

}  // namespace

Status WriteNewFile(const std::filesystem::path& path, std::string_view bytes) {
  const int fd =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("create " + path.string(), errno);
  Status status = WriteAll(fd, bytes, path);
  ::close(fd);
  return status;
}

Status SyncDirectory(const std::filesystem::path& path) {
  return SyncPath(path, O_RDONLY | O_DIRECTORY);
}

Status SyncNames(const std::vector<std::filesystem::path>& directories) {
  struct statfs info;
  const bool ordered =
      ::statfs(directories.back().c_str(), &info) == 0 &&
      (info.f_type == EXT4_SUPER_MAGIC || info.f_type == XFS_SUPER_MAGIC);
  if (ordered) return SyncDirectory(directories.back());
  for (const std::filesystem::path& path : directories)
    ASSAY_RETURN_IF_ERROR(SyncDirectory(path));
  return {};
}

Status SyncTree(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  if (error) return SystemError("list " + path.string(), error.value());
  for (const std::filesystem::directory_entry& entry : entries) {
    if (entry.is_directory() && !entry.is_symlink()) {
      ASSAY_RETURN_IF_ERROR(SyncTree(entry.path()));
    } else {
      ASSAY_RETURN_IF_ERROR(SyncPath(entry.path(), O_RDONLY));
    }
  }
  return SyncDirectory(path);
}

Status MakeDirectory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return SystemError("make directory " + path.string(), errno);
  return {};
}

Status LinkFile(const std::filesystem::path& target,
                const std::filesystem::path& path) {
  if (::link(target.c_str(), path.c_str()) == 0 || errno == EEXIST) return {};
  if (errno != EMLINK) return SystemError("link " + path.string(), errno);
  // ext4 stops at 65,000 links to a file.
  std::ifstream source(target, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(source), {});
  return WriteNewFile(path, bytes);
}

}  // namespace assay::repositories
