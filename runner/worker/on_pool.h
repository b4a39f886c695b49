#ifndef ASSAY_RUNNER_WORKER_ON_POOL_H_
#define ASSAY_RUNNER_WORKER_ON_POOL_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace assay::worker {

// Calls `work` on `pool` and resumes where it was awaited.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> OnPool(
    boost::asio::any_io_executor pool, Work work) {
  using Result = std::optional<std::invoke_result_t<Work&>>;
  // The optional makes the result default constructible, which Asio asks for.
  auto call = [](Work inner) -> boost::asio::awaitable<Result> {
    co_return Result(inner());
  };
  Result result = co_await boost::asio::co_spawn(
      std::move(pool), call(std::move(work)), boost::asio::use_awaitable);
  co_return *std::move(result);
}

}  // namespace assay::worker

#endif  // ASSAY_RUNNER_WORKER_ON_POOL_H_
