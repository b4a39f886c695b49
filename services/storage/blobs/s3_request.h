#ifndef ASSAY_SERVICES_STORAGE_BLOBS_S3_REQUEST_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_S3_REQUEST_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "services/storage/blobs/s3_settings.h"

namespace assay::storage {

struct S3Request {
  const char* method = "GET";
  // Below the bucket; empty: the bucket itself.
  std::string key;
  // In the order and the encoding in which it is signed: sorted by name, and
  // "name=" where there is no value. libcurl of Debian 12 signs it as it is.
  std::string query;
  // Must outlive the request.
  std::string_view body;
};

struct S3Response {
  int status = 0;
  std::string body;
  std::string etag;
  // What the server says that the content has, also for a HEAD.
  std::optional<std::size_t> length;
  // Seconds, when the server wants to be left alone.
  std::optional<int> retry_after;
  // The server's clock minus ours.
  std::optional<std::chrono::seconds> ahead;
  std::string region;
};

// Why there is no response at all.
struct S3Silence {
  std::string why;
  // Another attempt may go better.
  bool passing = true;
};

// Sends requests one after the other over a connection that it keeps, signed by
// libcurl (AWS Signature Version 4), with the digest of the body signed too.
//
// Ownership: borrows settings and `stop`.
// Threads: one at a time; blocks within the limits of the settings, and returns
// within a second or so once `stop` is set.
class S3Connection {
 public:
  S3Connection(const S3Settings& settings, const std::atomic<bool>& stop);
  ~S3Connection();

  std::expected<S3Response, S3Silence> Send(const S3Request& request);

 private:
  struct State;
  const S3Settings& settings_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<State> state_;
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_S3_REQUEST_H_
