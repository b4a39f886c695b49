#ifndef ASSAY_SERVICES_RUNS_PLAN_CACHE_H_
#define ASSAY_SERVICES_RUNS_PLAN_CACHE_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "assay/plan/v1/plan.pb.h"
#include "proto/base/error.h"
#include "services/storage/blobs/blob_store.h"

namespace assay::runs {

using SharedPlan = std::shared_ptr<const plan::v1::Plan>;

// Reads plans from the blob store and keeps those that were used last, without
// the suite's files: what scoring and visibility need.
//
// Ownership: borrows `blobs`. Threads: confined to the coordinator's strand.
// Errors: kNotFound for an unknown digest.
class PlanCache {
 public:
  explicit PlanCache(storage::BlobStore& blobs, std::size_t capacity = 64);

  boost::asio::awaitable<Expected<SharedPlan>> Get(std::string digest);

 private:
  storage::BlobStore& blobs_;
  const std::size_t capacity_;
  std::map<std::string, SharedPlan> plans_;
  std::deque<std::string> order_;  // oldest first
};

}  // namespace assay::runs

#endif  // ASSAY_SERVICES_RUNS_PLAN_CACHE_H_
