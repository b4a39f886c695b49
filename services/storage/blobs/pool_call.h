#ifndef ASSAY_SERVICES_STORAGE_BLOBS_POOL_CALL_H_
#define ASSAY_SERVICES_STORAGE_BLOBS_POOL_CALL_H_

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "services/storage/blobs/blob_store.h"

namespace assay::storage {

// Calls `function` on `pool`; the answer comes on the caller's executor.
// co_spawn would release its hold on the caller's context from the pool's
// thread after the answer, when that context may be gone.
template <class T>
BlobStore::Async<T> RunOn(boost::asio::thread_pool* pool,
                          std::function<Expected<T>()> function) {
  namespace asio = boost::asio;
  auto initiate = [pool](auto handler, std::function<Expected<T>()> call) {
    const auto executor = asio::get_associated_executor(handler);
    auto guard =
        asio::prefer(executor, asio::execution::outstanding_work.tracked);
    asio::post(*pool, [executor, guard = std::move(guard),
                       handler = std::move(handler),
                       call = std::move(call)]() mutable {
      asio::post(executor,
                 [guard = std::move(guard), handler = std::move(handler),
                  result = call()]() mutable {
                   std::move(handler)(std::move(result));
                 });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                          void(Expected<T>)>(
      std::move(initiate), asio::use_awaitable, std::move(function));
}

}  // namespace assay::storage

#endif  // ASSAY_SERVICES_STORAGE_BLOBS_POOL_CALL_H_
