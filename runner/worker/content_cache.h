#ifndef ASSAY_RUNNER_WORKER_CONTENT_CACHE_H_
#define ASSAY_RUNNER_WORKER_CONTENT_CACHE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/error.h"

namespace assay::worker {

// Plans and packs that were fetched, as files named by their digest, and those
// that are being fetched. The oldest go when there is too much.
//
// Threads: confined to one.
// Errors: kDataLoss for content that is not what its name says.
class ContentCache {
 public:
  // Makes `directory`; removes what an earlier process left half done.
  static Expected<ContentCache> Open(std::filesystem::path directory,
                                     std::int64_t max_bytes);

  // Where the content lies, if it is here.
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

  std::filesystem::path directory_;
  std::int64_t max_bytes_;
};

// A digest that may be a file's name.
bool IsDigest(std::string_view digest);

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_CONTENT_CACHE_H_
