#include "services/repositories/leftovers.h"

#include <string>
#include <vector>

namespace assay::repositories {
namespace {

namespace fs = std::filesystem;

// `objects/tmp_objdir-incoming-x` is a push's quarantine,
// `objects/pack/tmp_pack_x` a pack that was not finished, and `tmp_ref-x` a
// ref of ours.
bool IsUnfinished(const std::string& name) { return name.starts_with("tmp_"); }

// HEAD.lock, packed-refs.lock, refs/heads/main.lock. No ref may end so.
bool IsLock(const std::string& name) { return name.ends_with(".lock"); }

template <class Walk>
void Collect(const fs::path& directory, bool (*unwanted)(const std::string&),
             std::vector<fs::path>& found) {
  std::error_code error;
  for (const auto& entry : Walk(directory, error))
    if (unwanted(entry.path().filename().string()))
      found.push_back(entry.path());
}

}  // namespace

Status RemoveLeftovers(const fs::path& repository) {
  using Flat = fs::directory_iterator;
  using Deep = fs::recursive_directory_iterator;
  std::vector<fs::path> found;
  Collect<Flat>(repository, IsLock, found);
  Collect<Flat>(repository, IsUnfinished, found);
  Collect<Deep>(repository / "refs", IsLock, found);
  Collect<Flat>(repository / "objects", IsUnfinished, found);
  Collect<Flat>(repository / "objects/pack", IsUnfinished, found);
  for (const fs::path& path : found) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return SystemError("remove " + path.string(), error.value());
  }
  return {};
}

Expected<std::int64_t> PackedBytes(const fs::path& repository) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (const auto& entry :
       fs::directory_iterator(repository / "objects/pack", error)) {
    std::error_code gone;
    const auto size = entry.file_size(gone);
    if (!gone) bytes += static_cast<std::int64_t>(size);
  }
  if (error) return SystemError("list packs", error.value());
  return bytes;
}

}  // namespace assay::repositories
