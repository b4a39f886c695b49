#include "sandbox/policy/write_fence.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "sandbox/cell/unique_fd.h"
#include "sandbox/policy/defence.h"

namespace assay::sandbox {
namespace {

constexpr int kWithRenames = 2;

// Not LANDLOCK_ACCESS_FS_TRUNCATE: the kernel decides about it at each open,
// also of what is only read, by walking up to the root. That costs programs
// that open many files a tenth of their time; read-only mounts refuse to
// truncate in any case.
constexpr std::uint64_t kOnFiles = LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kOnFolders =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

int Version() {
  return static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0,
                                    LANDLOCK_CREATE_RULESET_VERSION));
}

bool Allow(int rules, const std::string& path, std::uint64_t handled) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info;
  if (!fd || ::fstat(fd.get(), &info) != 0 || S_ISLNK(info.st_mode)) {
    return true;
  }
  landlock_path_beneath_attr rule = {};
  rule.allowed_access = S_ISDIR(info.st_mode) ? handled : handled & ~kOnFolders;
  rule.parent_fd = fd.get();
  return ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
                   &rule, 0) == 0;
}

}  // namespace

bool HasWriteFence() { return Version() >= kWithRenames; }

bool FenceWrites(std::span<const std::string> writable) {
  if (!HasWriteFence() || !Stands(Defence::kLandlock) ||
      !Stands(Defence::kNoNewPrivileges)) {
    return true;
  }
  landlock_ruleset_attr attr = {};
  attr.handled_access_fs = kOnFiles | kOnFolders;
  const UniqueFd rules(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0)));
  if (!rules) return false;
  for (const auto& path : writable) {
    if (!Allow(rules.get(), path, attr.handled_access_fs)) return false;
  }
  return ::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0;
}

}  // namespace assay::sandbox
