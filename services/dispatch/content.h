#ifndef ASSAY_SERVICES_DISPATCH_CONTENT_H_
#define ASSAY_SERVICES_DISPATCH_CONTENT_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "proto/base/error.h"
#include "proto/base/id.h"
#include "services/rpc/method_registry.h"

namespace assay::dispatch {

// Something that a worker fetches: a plan or a pack, in memory or in a file.
struct Content {
  // SHA-256 of the whole, 64 hex digits.
  std::string digest;
  std::int64_t size = 0;
  // Used unless `file` is set.
  std::string bytes;
  std::filesystem::path file;

  // Up to `count` bytes from `offset` on.
  Expected<std::string> Read(std::int64_t offset, std::size_t count) const;
};

using SharedContent = std::shared_ptr<const Content>;

// Where content comes from. Kept alive for as long as a lease needs it; a
// source that writes temporary files removes them in the pointer's deleter.
//
// Threads: called on the coordinator's strand; does its reading elsewhere.
struct ContentSources {
  // A pack with `commit` of the attempt's repository, its trees and blobs
  // (not its history).
  std::function<rpc::Async<SharedContent>(AttemptId attempt,
                                          std::string commit)>
      pack;
  // The serialised assay.plan.v1.Plan named `digest`.
  std::function<rpc::Async<SharedContent>(std::string digest)> plan;
};

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_CONTENT_H_
