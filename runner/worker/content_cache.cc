#include "runner/worker/content_cache.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "proto/base/digest.h"
#include "proto/base/fault_point.h"
#include "sandbox/cell/unique_fd.h"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;
using sandbox::UniqueFd;

Expected<std::string> DigestOfFile(const fs::path& file) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (!fd || fstat(fd.get(), &status) != 0)
    return SystemError("open " + file.string(), errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return Sha256Hex("");
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (bytes == MAP_FAILED) return SystemError("map " + file.string(), errno);
  std::string digest = Sha256Hex({static_cast<const char*>(bytes), size});
  munmap(bytes, size);
  return digest;
}

}  // namespace

bool IsDigest(std::string_view digest) {
  return digest.size() == 64 && std::ranges::all_of(digest, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

ContentCache::ContentCache(fs::path directory, std::int64_t max_bytes)
    : directory_(std::move(directory)), max_bytes_(max_bytes) {}

Expected<ContentCache> ContentCache::Open(fs::path directory,
                                          std::int64_t max_bytes) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed)
    return Unavailable("cannot make ", directory.string(), ": ",
                       failed.message());
  for (const auto& entry : fs::directory_iterator(directory, failed))
    if (entry.path().extension() == ".part") fs::remove(entry.path(), failed);
  return ContentCache(std::move(directory), max_bytes);
}

fs::path ContentCache::PathOf(const std::string& digest) const {
  return directory_ / digest;
}
fs::path ContentCache::PartOf(const std::string& digest) const {
  return directory_ / (digest + ".part");
}

std::shared_ptr<void> ContentCache::Hold(const std::string& digest) {
  ++(*held_)[digest];
  return {nullptr, [held = held_, digest](void*) {
            const auto it = held->find(digest);
            if (--it->second == 0) held->erase(it);
          }};
}

std::optional<fs::path> ContentCache::Find(const std::string& digest) {
  std::error_code failed;
  const fs::path path = PathOf(digest);
  if (!IsDigest(digest) || !fs::exists(path, failed)) return std::nullopt;
  if (!IsSound(digest, path)) {
    spdlog::warn("{} is not what its name says any more: it is fetched anew",
                 path.string());
    fs::remove(path, failed);
    return std::nullopt;
  }
  // Used now: what was used longest ago goes first.
  fs::last_write_time(path, fs::file_time_type::clock::now(), failed);
  if (const auto state = StateOf(path)) sound_[digest] = *state;
  return path;
}

std::optional<ContentCache::State> ContentCache::StateOf(const fs::path& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return State{static_cast<std::int64_t>(status.st_ino), status.st_size,
               status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
}

bool ContentCache::IsSound(const std::string& digest, const fs::path& path) {
  const auto state = StateOf(path);
  const auto known = sound_.find(digest);
  if (state && known != sound_.end() && known->second == *state) return true;
  const auto found = DigestOfFile(path);
  return found && *found == digest;
}

Status ContentCache::Append(const std::string& digest, std::int64_t offset,
                            std::string_view piece) {
  if (!IsDigest(digest))
    return InvalidArgument("\"", digest, "\" is no SHA-256 digest");
  const UniqueFd fd(
      open(PartOf(digest).c_str(),
           O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : 0), 0600));
  if (!fd) return SystemError("write into the cache", errno);
  while (!piece.empty()) {
    const ssize_t written =
        pwrite(fd.get(), piece.data(), piece.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write into the cache", errno);
    piece.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

Expected<fs::path> ContentCache::Finish(const std::string& digest) {
  ASSAY_ASSIGN_OR_RETURN(const std::string found, DigestOfFile(PartOf(digest)));
  if (found != digest) {
    Discard(digest);
    return DataLoss("what was fetched as ", digest, " has the digest ", found);
  }
  MakeRoom();
  ReachFaultPoint("worker.cached");
  std::error_code failed;
  fs::rename(PartOf(digest), PathOf(digest), failed);
  if (failed)
    return Unavailable("cannot rename in the cache: ", failed.message());
  if (const auto state = StateOf(PathOf(digest))) sound_[digest] = *state;
  return PathOf(digest);
}

void ContentCache::Discard(const std::string& digest) {
  std::error_code ignored;
  fs::remove(PartOf(digest), ignored);
}

void ContentCache::MakeRoom() {
  struct File {
    fs::file_time_type used;
    std::int64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  std::int64_t total = 0;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory_, failed)) {
    const auto bytes = static_cast<std::int64_t>(entry.file_size(failed));
    total += bytes;
    if (entry.path().extension() != ".part")
      files.push_back({entry.last_write_time(failed), bytes, entry.path()});
  }
  std::ranges::sort(files, {}, &File::used);
  for (const File& file : files) {
    if (total <= max_bytes_) return;
    const std::string digest = file.path.filename().string();
    if (held_->contains(digest)) continue;
    fs::remove(file.path, failed);
    sound_.erase(digest);
    total -= file.bytes;
  }
}

}  // namespace assay::worker
