#include "sandbox/rootfs/host_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

#include "sandbox/rootfs/mount_calls.h"

namespace assay::sandbox {
namespace {

struct OwnFile {
  const char* name;
  std::string_view content;
};

constexpr std::string_view kHosts =
    "127.0.0.1 localhost\n::1 localhost ip6-localhost\n";

constexpr std::array<OwnFile, 6> kOwnEtc = {{
    {"passwd",
     "root:x:0:0:root:/root:/bin/sh\n"
     "app:x:1000:1000:app:/tmp:/bin/sh\n"
     "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
    {"group", "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n"},
    {"hosts", kHosts},
    {"resolv.conf", ""},
    {"nsswitch.conf",
     "passwd: files\ngroup: files\nhosts: files\nservices: files\n"
     "protocols: files\n"},
    {"host.conf", "multi on\n"},
}};

// Copied, or mounted if they are large.
constexpr std::array<const char*, 14> kCopiedEtc = {
    "ld.so.cache", "ld.so.conf",     "localtime", "timezone", "mime.types",
    "protocols",   "services",       "rpc",       "gai.conf", "os-release",
    "magic",       "debian_version", "inputrc",   "npmrc"};

// Mounted where they are there: folders of settings of packages.
constexpr std::array<const char*, 8> kMountedEtc = {
    "alternatives", "fonts", "ld.so.conf.d", "perl",
    "php",          "maven", "gradle",       "python3"};

// What is larger costs less as a mount.
constexpr std::size_t kMaxCopied = 16 << 10;

Status WriteFile(int directory, const char* name, std::string_view content) {
  UniqueFd fd(
      ::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) return SystemError(std::string("create /etc/") + name, errno);
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0) return SystemError(std::string("write /etc/") + name, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

bool IsLarge(const struct stat& info) {
  return static_cast<std::size_t>(info.st_size) > kMaxCopied;
}

// Writable as yet: the whole of /etc is made read-only at once.
Status MountTree(UniqueFd tree, int to, const char* name) {
  if (!tree || !AttachTree(tree.get(), to, name)) {
    return SystemError(std::string("mount /etc/") + name, errno);
  }
  return {};
}

Status CopyLink(int from, int to, const char* name) {
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(from, name, target, sizeof(target) - 1);
  if (length <= 0) return {};
  target[length] = '\0';
  if (::symlinkat(target, to, name) == 0) return {};
  return SystemError(std::string("link /etc/") + name, errno);
}

// A file that is missing or unreadable is left out.
Status CopyFile(int from, int to, const char* name) {
  UniqueFd fd(
      ::openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ELOOP) return CopyLink(from, to, name);
  struct stat info;
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return {};
  }
  if (IsLarge(info)) {
    ASSAY_RETURN_IF_ERROR(WriteFile(to, name, ""));
    return MountTree(CloneTree(fd.get(), "", false), to, name);
  }
  char content[kMaxCopied];
  const auto size = static_cast<std::size_t>(info.st_size);
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t n = ::read(fd.get(), content + filled, size - filled);
    if (n <= 0) break;
    filled += static_cast<std::size_t>(n);
  }
  return WriteFile(to, name, {content, filled});
}

// One that is missing, or no folder, is left out.
Status MountFolder(int from, int to, const std::string& name) {
  const UniqueFd folder(
      ::openat(from, name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return {};
  UniqueFd tree = CloneTree(folder.get(), "", true);
  if (tree && ::mkdirat(to, name.c_str(), 0755) != 0) tree.Reset();
  return MountTree(std::move(tree), to, name.c_str());
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Those that are named after a version. Found by what is installed, because
// to list /etc takes as long as to mount all of them.
std::vector<std::string> VersionedEtc() {
  std::vector<std::string> names;
  char target[NAME_MAX + 1];
  const ssize_t length = ::readlink("/usr/bin/python3", target, sizeof(target));
  if (length > 0) names.emplace_back(target, static_cast<std::size_t>(length));
  UniqueFd jvm(::open("/usr/lib/jvm", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Directory list(jvm ? ::fdopendir(jvm.get()) : nullptr);
  if (!list) return names;
  (void)jvm.Release();
  while (const dirent* item = ::readdir(list.get())) {
    // /usr/lib/jvm/java-17-openjdk-amd64 has its settings in
    // /etc/java-17-openjdk.
    const std::string_view name = item->d_name;
    if (item->d_type != DT_DIR || !name.starts_with("java-")) continue;
    names.emplace_back(name.substr(0, name.rfind('-')));
  }
  return names;
}

// Certificates without the keys beside them.
Status FillSsl(int from, int to) {
  UniqueFd source(::openat(from, "ssl", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!source) return {};
  if (::mkdirat(to, "ssl", 0755) != 0) {
    return SystemError("create /etc/ssl", errno);
  }
  UniqueFd target(::openat(to, "ssl", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSAY_RETURN_IF_ERROR(CopyFile(source.get(), target.get(), "openssl.cnf"));
  return MountFolder(source.get(), target.get(), "certs");
}

bool ReadEntry(int at, const char* name, TopEntry& entry) {
  struct stat info;
  if (::fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
  entry.name = name;
  entry.directory = S_ISDIR(info.st_mode);
  if (!S_ISLNK(info.st_mode)) return entry.directory || S_ISREG(info.st_mode);
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(at, name, target, sizeof(target));
  if (length <= 0) return false;
  entry.link_target.assign(target, static_cast<std::size_t>(length));
  return true;
}

}  // namespace

std::vector<TopEntry> HostTopEntries(int root) {
  std::vector<TopEntry> entries;
  for (const char* name :
       {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    TopEntry entry;
    if (ReadEntry(root, name, entry)) entries.push_back(entry);
  }
  return entries;
}

bool ProvideHosts(int root) {
  const UniqueFd place = MakeMountPoint(root, "/etc/hosts", true);
  if (!place) return errno == ELOOP || errno == ENOTDIR;
  struct stat info;
  if (::fstat(place.get(), &info) != 0) return false;
  if (!S_ISREG(info.st_mode) || info.st_size > 0) return true;
  const std::string path = "/proc/self/fd/" + std::to_string(place.get());
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), kHosts.data(), kHosts.size()) ==
                     static_cast<ssize_t>(kHosts.size());
}

Status FillEtc(int directory) {
  for (const auto& file : kOwnEtc) {
    ASSAY_RETURN_IF_ERROR(WriteFile(directory, file.name, file.content));
  }
  UniqueFd host(::open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!host) return SystemError("open /etc", errno);
  for (const char* name : kCopiedEtc) {
    ASSAY_RETURN_IF_ERROR(CopyFile(host.get(), directory, name));
  }
  ASSAY_RETURN_IF_ERROR(FillSsl(host.get(), directory));
  std::vector<std::string> names = VersionedEtc();
  names.insert(names.end(), kMountedEtc.begin(), kMountedEtc.end());
  for (const auto& name : names) {
    ASSAY_RETURN_IF_ERROR(MountFolder(host.get(), directory, name));
  }
  return {};
}

std::vector<std::string> MountedEtc() {
  std::vector<std::string> mounted;
  const auto add_file = [&mounted](const std::string& name) {
    const std::string path = "/etc/" + name;
    struct stat info;
    if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        IsLarge(info) && ::access(path.c_str(), R_OK) == 0) {
      mounted.push_back(name);
    }
  };
  for (const char* name : kCopiedEtc) add_file(name);
  add_file("ssl/openssl.cnf");
  std::vector<std::string> folders = VersionedEtc();
  folders.insert(folders.end(), kMountedEtc.begin(), kMountedEtc.end());
  folders.emplace_back("ssl/certs");
  for (const auto& name : folders) {
    struct stat info;
    if (::stat(("/etc/" + name).c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      mounted.push_back(name);
    }
  }
  return mounted;
}

Status FillDev(int directory) {
  for (const auto& device : kCellDevices) {
    const mode_t mode = S_IFCHR | 0666;
    // Real nodes cost one mount less each, but only root may make them.
    if (::mknodat(directory, device.name, mode, makedev(1, device.minor)) ==
        0) {
      if (::fchmodat(directory, device.name, 0666, 0) == 0) continue;
      return SystemError(std::string("open /dev/") + device.name + " to all",
                         errno);
    }
    UniqueFd place(
        ::openat(directory, device.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    UniqueFd tree =
        CloneTree(AT_FDCWD, std::string("/dev/") + device.name, false);
    if (!place || !tree || !AttachTree(tree.get(), directory, device.name)) {
      return SystemError(std::string("provide /dev/") + device.name, errno);
    }
  }
  struct Link {
    const char* target;
    const char* name;
  };
  constexpr Link kLinks[] = {{"/proc/self/fd", "fd"},
                             {"/proc/self/fd/0", "stdin"},
                             {"/proc/self/fd/1", "stdout"},
                             {"/proc/self/fd/2", "stderr"}};
  for (const auto& link : kLinks) {
    if (::symlinkat(link.target, directory, link.name) != 0) {
      return SystemError(std::string("provide /dev/") + link.name, errno);
    }
  }
  if (::mkdirat(directory, "shm", 0755) != 0) {
    return SystemError("provide /dev/shm", errno);
  }
  return {};
}

}  // namespace assay::sandbox
