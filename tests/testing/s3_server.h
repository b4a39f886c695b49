#ifndef ASSAY_TESTS_TESTING_S3_SERVER_H_
#define ASSAY_TESTS_TESTING_S3_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "proto/base/error.h"
#include "tests/testing/temporary_directory.h"

namespace assay::tests {

// An S3 server on a free port of 127.0.0.1 with a bucket `blobs` in region
// `eu-test-1`, for the key S3RVER with the secret S3RVER. It checks signatures
// and digests, and breaks what it is told to. Gone with the object.
class S3Server {
 public:
  static Expected<std::unique_ptr<S3Server>> Start();
  ~S3Server();
  S3Server(const S3Server&) = delete;

  std::string endpoint() const;
  // Where the object of `key` in the bucket is kept.
  std::string FileOf(const std::string& key) const;
  // Uploads in parts that were neither ended nor aborted.
  int UnfinishedUploads() const;

  // Breaks the requests that come: a fault of server.js as JSON.
  void Break(const std::string& fault) const;
  void Heal() const;
  // "METHOD /path STATUS" of each request since the last call.
  std::string TakeLog() const;

  void Stop();
  // Comes back on the same port with its objects.
  Status Restart();

 private:
  S3Server() = default;
  Status Launch();

  testing::TemporaryDirectory directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace assay::tests

#endif  // ASSAY_TESTS_TESTING_S3_SERVER_H_
