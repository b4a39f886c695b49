#ifndef ASSAY_TESTS_TESTING_EVENT_LOOP_H_
#define ASSAY_TESTS_TESTING_EVENT_LOOP_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

namespace assay::testing {

// The coordinator's strand in a test: runs coroutines on the test's own thread
// until what the test waits for has happened.
class EventLoop {
 public:
  boost::asio::io_context& context() { return context_; }
  auto executor() { return context_.get_executor(); }

  // Runs `task` to its end, and whatever else is ready meanwhile.
  template <class T>
  T Await(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    std::exception_ptr thrown;
    boost::asio::co_spawn(context_, std::move(task),
                          [&](std::exception_ptr error, T value) {
                            thrown = error;
                            if (!error) result.emplace(std::move(value));
                          });
    RunUntil([&] { return result.has_value() || thrown != nullptr; });
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
  }

  // Starts `task`; its result is dropped, an exception ends the test.
  template <class T>
  void Spawn(boost::asio::awaitable<T> task) {
    boost::asio::co_spawn(context_, std::move(task),
                          [](std::exception_ptr error, auto&&...) {
                            if (error) std::rethrow_exception(error);
                          });
  }

  // Runs until `condition` holds. Waits for handlers, not for time to pass.
  void RunUntil(const std::function<bool()>& condition) {
    context_.restart();
    while (!condition()) {
      if (context_.run_one() == 0)
        throw std::logic_error("nothing is left that could end the wait");
    }
  }

  // Runs what is ready, and returns.
  void RunReady() {
    context_.restart();
    context_.poll();
  }

 private:
  boost::asio::io_context context_;
};

// Runs one coroutine where no other is meant to run. The loop stays: whoever
// answered may still be in the middle of waking it.
template <class T>
T Await(boost::asio::awaitable<T> task) {
  thread_local EventLoop loop;
  return loop.Await(std::move(task));
}

}  // namespace assay::testing

#endif  // ASSAY_TESTS_TESTING_EVENT_LOOP_H_
