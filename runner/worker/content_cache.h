#ifndef ASSAY_RUNNER_WORKER_CONTENT_CACHE_H_
#define ASSAY_RUNNER_WORKER_CONTENT_CACHE_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::worker {

// Plans and packs that were fetched, as files named by their digest, and those
// that are being fetched. What was used longest ago goes when there is too
// much, but not what a run is about to read.
//
// A file is read through before this process first gives it out, and again
// whenever it has changed: one that is not what its name says is removed, so
// that it is fetched anew.
//
// Threads: confined to one.
// Errors: kDataLoss for content that is not what its name says.
class ContentCache {
 public:
  // Makes `directory`; removes what an earlier process left half done.
  static Expected<ContentCache> Open(std::filesystem::path directory,
                                     std::int64_t max_bytes);

  // Keeps this content for as long as the answer lives, which may be longer
  // than the cache does.
  std::shared_ptr<void> Hold(const std::string& digest);

  // Where the content lies, if it is here and sound.
  std::optional<std::filesystem::path> Find(const std::string& digest);

  // Fetching: pieces in order, then Finish, which checks the digest.
  Status Append(const std::string& digest, std::int64_t offset,
                std::string_view piece);
  Expected<std::filesystem::path> Finish(const std::string& digest);
  void Discard(const std::string& digest);

 private:
  ContentCache(std::filesystem::path directory, std::int64_t max_bytes);
  std::filesystem::path PathOf(const std::string& digest) const;
  std::filesystem::path PartOf(const std::string& digest) const;
  void MakeRoom();
  bool IsSound(const std::string& digest, const std::filesystem::path& path);

  std::filesystem::path directory_;
  std::int64_t max_bytes_;
  // Held content, and by how many.
  std::shared_ptr<std::map<std::string, int>> held_ =
      std::make_shared<std::map<std::string, int>>();
  // What was read through, as it was then: inode, size, time of change.
  using State = std::array<std::int64_t, 4>;
  static std::optional<State> StateOf(const std::filesystem::path& path);
  std::map<std::string, State> sound_;
};

// A digest that may be a file's name.
bool IsDigest(std::string_view digest);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_CONTENT_CACHE_H_
