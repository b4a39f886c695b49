#include "runner/materialise/directory_archive.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "runner/materialise/entry_name.h"
#include "runner/materialise/sealed_file.h"
#include "sandbox/cell/tree_archive.h"

namespace assay::materialise {
namespace {

using sandbox::UniqueFd;

class DirectoryWalk {
 public:
  DirectoryWalk(const TreeLimits& limits, sandbox::TreeArchiveWriter& archive)
      : limits_(limits), archive_(archive) {}

  Status Directory(UniqueFd fd, const std::string& path, std::int64_t depth) {
    if (depth > limits_.depth)
      return ResourceExhausted("directories are nested more than ",
                               limits_.depth, " deep at ", path);
    ASSAY_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                           Names(fd.get(), path));
    for (const std::string& name : names)
      ASSAY_RETURN_IF_ERROR(Entry(fd.get(), name, JoinPath(path, name), depth));
    return {};
  }

 private:
  // Sorted, so that the same directory gives the same archive.
  static Expected<std::vector<std::string>> Names(int fd,
                                                  const std::string& path) {
    // closedir closes its descriptor, and the walk still needs this one.
    UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(copy.get()),
                                                      &closedir);
    if (listing == nullptr) return SystemError("list " + path, errno);
    static_cast<void>(copy.Release());
    std::vector<std::string> names;
    while (const dirent* entry = readdir(listing.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != ".." && name != ".git") names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  Status Entry(int parent, const std::string& name, const std::string& path,
               std::int64_t depth) {
    if (++entries_ > limits_.entries)
      return ResourceExhausted("the directory holds more than ",
                               limits_.entries, " files and directories");
    struct stat status;
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return SystemError("look at " + path, errno);
    if (S_ISLNK(status.st_mode)) return Link(parent, name, path);
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
      return InvalidArgument(path, " is neither a file, a directory nor a ",
                             "symbolic link; remove it");
    const int kind = S_ISDIR(status.st_mode) ? O_DIRECTORY : O_NONBLOCK;
    UniqueFd fd(
        openat(parent, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | kind));
    if (!fd) return SystemError("open " + path, errno);
    if (S_ISREG(status.st_mode))
      return File(fd.get(), path, (status.st_mode & S_IXUSR) != 0);
    ASSAY_RETURN_IF_ERROR(archive_.AddDirectory(path));
    return Directory(std::move(fd), path, depth + 1);
  }

  Status Link(int parent, const std::string& name, const std::string& path) {
    std::string target(4096, '\0');
    const ssize_t size =
        readlinkat(parent, name.c_str(), target.data(), target.size());
    if (size < 0) return SystemError("read the link " + path, errno);
    target.resize(static_cast<std::size_t>(size));
    return archive_.AddSymlink(path, target);
  }

  Status File(int fd, const std::string& path, bool executable) {
    std::string content;
    char buffer[64 << 10];
    while (true) {
      const ssize_t got = read(fd, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return SystemError("read " + path, errno);
      if (got == 0) break;
      content.append(buffer, static_cast<std::size_t>(got));
      bytes_ += got;
      if (static_cast<std::int64_t>(content.size()) > limits_.file_bytes)
        return ResourceExhausted(path, " has more than ", limits_.file_bytes,
                                 " bytes, the limit");
      if (bytes_ > limits_.total_bytes)
        return ResourceExhausted("the directory holds more than ",
                                 limits_.total_bytes, " bytes, the limit");
    }
    return archive_.AddFile(path, content, executable);
  }

  const TreeLimits& limits_;
  sandbox::TreeArchiveWriter& archive_;
  std::int64_t entries_ = 0;
  std::int64_t bytes_ = 0;
};

}  // namespace

Expected<UniqueFd> ArchiveDirectory(const std::string& directory,
                                    const TreeLimits& limits) {
  UniqueFd root(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return SystemError("open the directory " + directory, errno);
  ASSAY_ASSIGN_OR_RETURN(UniqueFd memory, MakeMemoryFile("assay-tree"));
  sandbox::TreeArchiveWriter archive(memory.get());
  ASSAY_RETURN_IF_ERROR(
      DirectoryWalk(limits, archive).Directory(std::move(root), "", 1));
  ASSAY_RETURN_IF_ERROR(archive.Finish());
  ASSAY_RETURN_IF_ERROR(Seal(memory.get()));
  if (lseek(memory.get(), 0, SEEK_SET) != 0)
    return SystemError("rewind the tree archive", errno);
  return memory;
}

}  // namespace assay::materialise
