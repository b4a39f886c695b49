#ifndef ASSAY_SERVICES_STORAGE_BLOBS_S3_OBJECTS_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_S3_OBJECTS_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "services/storage/blobs/s3_failure.h"
#include "services/storage/blobs/s3_request.h"

namespace assay::storage {

// The operations on blobs, each by one or more requests, with retries.
//
// Threads: any; each call blocks, and takes a kept connection for itself.
class S3Objects {
 public:
  explicit S3Objects(S3Settings settings);

  Expected<std::string> Put(const std::string& content);
  Expected<std::string> Get(const std::string& digest);
  Expected<bool> Has(const std::string& digest);
  Expected<std::vector<std::string>> List(const std::string& after);
  // One attempt to list, for the start.
  std::expected<void, S3Failure> Probe();
  // The same with retries.
  std::expected<void, S3Failure> Reach();

  // Ends what blocks within a second or so, with kUnavailable.
  void Stop();

  const S3Settings& settings() const { return settings_; }

 private:
  using Answer = std::expected<S3Response, S3Failure>;

  // A connection of the shelf, put back when done.
  class Borrowed;
  Answer SendOnce(const S3Request& request);
  // Success is 2xx, and 404 of an object.
  Answer Send(const S3Request& request);
  S3Request ListOne() const;
  bool Pause(std::chrono::milliseconds time);
  std::string KeyOf(const std::string& digest) const;
  Status PutWhole(const std::string& key, std::string_view content);
  Status PutInParts(const std::string& key, std::string_view content);
  Status SendParts(const std::string& key, const std::string& upload,
                   std::string_view content);
  void Abort(const std::string& key, const std::string& upload);
  // The size of the object, or nothing.
  Expected<std::optional<std::size_t>> SizeOf(const std::string& key);

  const S3Settings settings_;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::condition_variable stopped_;
  std::vector<std::unique_ptr<S3Connection>> shelf_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_S3_OBJECTS_H_
