#ifndef ASSAY_SERVICES_STORAGE_BLOBS_BLOB_STORE_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_BLOB_STORE_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

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
};

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_BLOB_STORE_H_
