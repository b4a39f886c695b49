#include "sandbox/image/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

namespace assay::sandbox {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Links on the way may be followed as long as they stay inside: images have
// them (lib -> usr/lib) and archives name files through them.
UniqueFd OpenBeneath(int root, const std::string& path, int flags) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  return UniqueFd(
      static_cast<int>(::syscall(SYS_openat2, root, name, &how, sizeof(how))));
}

std::unexpected<Error> PathError(const std::string& path, int error_number) {
  if (error_number == EXDEV) {
    return InvalidArgument("'", path, "' leads out of the image");
  }
  return SystemError("write '" + path + "'", error_number);
}

std::pair<std::string, std::string> Split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// Directories stay usable for the one who unpacks and for cells.
constexpr std::uint32_t kOwnerAll = 0700;
constexpr std::uint32_t kOwnerRead = 0400;
constexpr std::uint32_t kPermissions = 0777;

Expected<std::vector<std::string>> NamesIn(int directory) {
  UniqueFd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDirectory> list(copy ? ::fdopendir(copy.get())
                                                       : nullptr);
  if (!list) return SystemError("list a directory", errno);
  (void)copy.Release();
  std::vector<std::string> names;
  while (const dirent* item = ::readdir(list.get())) {
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

Status RemoveAt(int parent, const std::string& name, int depth = 0) {
  constexpr int kDepth = 512;
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR) return SystemError("remove '" + name + "'", errno);
  if (depth > kDepth) return InvalidArgument("'", name, "' is too deep");
  const UniqueFd directory(::openat(
      parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory) return SystemError("open '" + name + "'", errno);
  ASSAY_ASSIGN_OR_RETURN(const auto names, NamesIn(directory.get()));
  for (const auto& child : names) {
    ASSAY_RETURN_IF_ERROR(RemoveAt(directory.get(), child, depth + 1));
  }
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) {
    return SystemError("remove '" + name + "'", errno);
  }
  return {};
}

}  // namespace

Tree::Tree(UniqueFd root, ImageLimits limits)
    : root_(std::move(root)), limits_(limits) {
  ::umask(0);
}

Status Tree::Count() {
  if (++entries_ <= limits_.entries) return {};
  return ResourceExhausted("the image has more than ", limits_.entries,
                           " entries");
}

Status Tree::Grow(std::int64_t bytes) {
  if (bytes_ + bytes > limits_.bytes) {
    return ResourceExhausted("the image unpacks to more than ", limits_.bytes,
                             " bytes");
  }
  bytes_ += bytes;
  return {};
}

Expected<UniqueFd> Tree::Parent(const std::string& path) {
  const std::string parent = Split(path).first;
  UniqueFd found = OpenBeneath(root_.get(), parent, O_PATH | O_DIRECTORY);
  if (found) return found;
  if (errno != ENOENT) return PathError(path, errno);
  // Archives may leave the directories on the way out.
  ASSAY_RETURN_IF_ERROR(AddDirectory(parent, 0755));
  found = OpenBeneath(root_.get(), parent, O_PATH | O_DIRECTORY);
  if (!found) return PathError(path, errno);
  return found;
}

Status Tree::MakeRoom(int parent, const std::string& name,
                      bool keep_directory) {
  struct stat info;
  if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return {};
  }
  if (keep_directory && S_ISDIR(info.st_mode)) return {};
  return RemoveAt(parent, name);
}

Status Tree::AddDirectory(const std::string& path, std::uint32_t mode) {
  const mode_t bits = (mode & kPermissions) | kOwnerAll;
  if (path.empty()) {
    if (::fchmod(root_.get(), bits) != 0) return PathError(path, errno);
    return {};
  }
  ASSAY_RETURN_IF_ERROR(Count());
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd parent, Parent(path));
  const std::string name = Split(path).second;
  ASSAY_RETURN_IF_ERROR(MakeRoom(parent.get(), name, true));
  if (::mkdirat(parent.get(), name.c_str(), bits) == 0) return {};
  if (errno != EEXIST || ::fchmodat(parent.get(), name.c_str(), bits, 0) != 0) {
    return PathError(path, errno);
  }
  return {};
}

Expected<UniqueFd> Tree::AddFile(const std::string& path, std::uint32_t mode) {
  ASSAY_RETURN_IF_ERROR(Count());
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd parent, Parent(path));
  const std::string name = Split(path).second;
  ASSAY_RETURN_IF_ERROR(MakeRoom(parent.get(), name, false));
  UniqueFd file(::openat(parent.get(), name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         (mode & kPermissions) | kOwnerRead));
  if (!file) return PathError(path, errno);
  return file;
}

Status Tree::AddSymlink(const std::string& path, const std::string& target) {
  ASSAY_RETURN_IF_ERROR(Count());
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd parent, Parent(path));
  const std::string name = Split(path).second;
  ASSAY_RETURN_IF_ERROR(MakeRoom(parent.get(), name, false));
  // Kept as it is, wherever it leads: it is followed inside of cells only.
  if (::symlinkat(target.c_str(), parent.get(), name.c_str()) != 0) {
    return PathError(path, errno);
  }
  return {};
}

Status Tree::AddHardLink(const std::string& path, const std::string& existing) {
  ASSAY_RETURN_IF_ERROR(Count());
  const auto [folder, source] = Split(existing);
  const UniqueFd from = OpenBeneath(root_.get(), folder, O_PATH | O_DIRECTORY);
  if (!from) return PathError(existing, errno);
  struct stat info;
  if (::fstatat(from.get(), source.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      S_ISDIR(info.st_mode)) {
    return InvalidArgument("'", path, "' links to '", existing,
                           "', which is no file of the image");
  }
  ASSAY_ASSIGN_OR_RETURN(const UniqueFd parent, Parent(path));
  const std::string name = Split(path).second;
  if (path == existing) return {};
  ASSAY_RETURN_IF_ERROR(MakeRoom(parent.get(), name, false));
  if (::linkat(from.get(), source.c_str(), parent.get(), name.c_str(), 0) !=
      0) {
    return PathError(path, errno);
  }
  return {};
}

Status Tree::Remove(const std::string& path) {
  const auto [folder, name] = Split(path);
  const UniqueFd parent =
      OpenBeneath(root_.get(), folder, O_PATH | O_DIRECTORY);
  if (!parent && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (!parent) return PathError(path, errno);
  return RemoveAt(parent.get(), name);
}

Expected<std::vector<std::string>> Tree::Names(const std::string& path) {
  const UniqueFd directory =
      OpenBeneath(root_.get(), path, O_RDONLY | O_DIRECTORY);
  if (!directory && (errno == ENOENT || errno == ENOTDIR)) {
    return std::vector<std::string>();
  }
  if (!directory) return PathError(path, errno);
  return NamesIn(directory.get());
}

}  // namespace assay::sandbox
