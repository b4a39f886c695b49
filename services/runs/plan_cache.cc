#include "services/runs/plan_cache.h"

#include <utility>

namespace assay::runs {

PlanCache::PlanCache(storage::BlobStore& blobs, std::size_t capacity)
    : blobs_(blobs), capacity_(capacity) {}

boost::asio::awaitable<Expected<SharedPlan>> PlanCache::Get(
    std::string digest) {
  if (const auto it = plans_.find(digest); it != plans_.end())
    co_return it->second;
  ASSAY_CO_ASSIGN_OR_RETURN(const std::string bytes,
                            co_await blobs_.Get(digest));
  auto plan = std::make_shared<plan::v1::Plan>();
  if (!plan->ParseFromString(bytes))
    co_return DataLoss("blob ", digest, " is no plan");
  // Seeds and scripts may be large, and nobody here reads them.
  plan->clear_files();
  SharedPlan shared = std::move(plan);
  if (plans_.emplace(digest, shared).second) order_.push_back(digest);
  while (order_.size() > capacity_) {
    plans_.erase(order_.front());
    order_.pop_front();
  }
  co_return shared;
}

}  // namespace assay::runs
