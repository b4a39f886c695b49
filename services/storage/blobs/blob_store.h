#ifndef ASSAY_SERVICES_STORAGE_BLOBS_BLOB_STORE_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_BLOB_STORE_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "proto/base/error.h"

namespace assay::storage {

// Keeps immutable bytes under their SHA-256 (64 lower-case hex digits): plans,
// suites, evidence.
//
// Threads: may be awaited on any executor, resumes on it.
// Errors: kNotFound for an unknown digest, kDataLoss for content that no
// longer matches its digest, kUnavailable when the store cannot be written.
class BlobStore {
 public:
  template <class T>
  using Async = boost::asio::awaitable<Expected<T>>;

  virtual ~BlobStore() = default;
  // Durable before it answers, with the digest. A repeat is cheap.
  virtual Async<std::string> Put(std::string content) = 0;
  virtual Async<std::string> Get(std::string digest) = 0;
  virtual Async<bool> Has(std::string digest) = 0;
  // The digests that come after `after` in their order, kListPage of them at
  // most; none: that was all.
  virtual Async<std::vector<std::string>> List(std::string after) = 0;
};

constexpr std::size_t kListPage = 1000;

inline bool IsDigest(const std::string& text) {
  constexpr std::size_t kDigestSize = 64;
  return text.size() == kDigestSize &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_BLOB_STORE_H_
