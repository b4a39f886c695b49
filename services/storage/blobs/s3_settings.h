#ifndef ASSAY_SERVICES_STORAGE_BLOBS_S3_SETTINGS_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_S3_SETTINGS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "proto/base/error.h"

namespace assay::storage {

// Where blobs are, as the command line says it.
struct BlobPlace {
  // s3://BUCKET[/PREFIX], or the absolute path of a folder; empty: the data
  // directory's own folder.
  std::string location;
  // http://HOST:PORT or https://HOST; empty: AWS_ENDPOINT_URL_S3,
  // AWS_ENDPOINT_URL, or Amazon's of the region.
  std::string endpoint;
  // Empty: AWS_REGION, AWS_DEFAULT_REGION, or us-east-1.
  std::string region;
};

struct S3Credentials {
  std::string key;
  std::string secret;
  // Of temporary credentials; may be empty.
  std::string token;
};

// What bounds one operation.
struct S3Limits {
  int attempts = 5;
  // The pause before the second attempt; doubles, is cut to `longest_pause`,
  // and a random part of it is waited.
  std::chrono::milliseconds first_pause{200};
  std::chrono::milliseconds longest_pause{3'000};
  std::chrono::milliseconds connect_timeout{4'000};
  // With next to nothing in either direction.
  std::chrono::milliseconds silence{10'000};
  // No further attempt is begun after this.
  std::chrono::milliseconds patience{25'000};
  // Content over this size is sent in parts. S3 wants at least 5 MiB in each
  // but the last, and at most 10,000.
  std::size_t part_size = std::size_t{16} << 20;
  // What one blob may have: a server that sends more is not believed.
  std::size_t largest_blob = std::size_t{1} << 30;
};

struct S3Settings {
  std::string bucket;
  // Empty, or ends with '/'.
  std::string prefix;
  // Without a '/' at its end.
  std::string endpoint;
  std::string region;
  // Asked before each request, so that keys may change under a running server.
  std::function<Expected<S3Credentials>()> credentials;
  // Certificates (PEM) that vouch for the endpoint; empty: the system's.
  std::string ca_file;
  S3Limits limits;

  // "s3://bucket/prefix at http://127.0.0.1:9000".
  std::string Describe() const;
};

// Reads an environment variable; empty where there is none.
using Environment = std::function<std::string(const char* name)>;
std::string ProcessEnvironment(const char* name);

// Puts together what the command line and the environment say.
//
// Errors: kInvalidArgument, with what was expected.
Expected<S3Settings> ReadS3Settings(const BlobPlace& place,
                                    const Environment& environment);

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or else the
// section AWS_PROFILE ("default") of AWS_SHARED_CREDENTIALS_FILE
// (~/.aws/credentials).
Expected<S3Credentials> ReadS3Credentials(const Environment& environment);

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_S3_SETTINGS_H_
