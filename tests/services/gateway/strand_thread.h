#ifndef ASSAY_TESTS_SERVICES_GATEWAY_STRAND_THREAD_H_
#define ASSAY_TESTS_SERVICES_GATEWAY_STRAND_THREAD_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>
#include <utility>

namespace assay::testing {

// The coordinator's strand on a thread of its own, for tests whose client
// blocks. Stops when destroyed; what it serves must be gone by then.
class StrandThread {
 public:
  ~StrandThread() {
    guard_.reset();
    context_.stop();
    thread_.join();
  }

  auto executor() { return context_.get_executor(); }

  // Runs `work` on the strand and waits for it.
  template <class Work>
  auto Run(Work work) {
    std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
    auto result = task.get_future();
    boost::asio::post(context_, [&task] { task(); });
    return result.get();
  }

  // Lets finish what is ready and what that makes ready in turn: a coroutine
  // that waits for another one is lost with the context, not freed.
  void Settle() {
    constexpr int kLongestChain = 64;
    for (int i = 0; i < kLongestChain; ++i) Run([] {});
  }

  template <class T>
  T Await(boost::asio::awaitable<T> work) {
    return boost::asio::co_spawn(context_, std::move(work),
                                 boost::asio::use_future)
        .get();
  }

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
      guard_{context_.get_executor()};
  std::thread thread_{[this] { context_.run(); }};
};

}  // namespace assay::testing

#endif  // ASSAY_TESTS_SERVICES_GATEWAY_STRAND_THREAD_H_
