#ifndef ASSAY_SERVICES_GATEWAY_ONE_SHOT_H_
#define ASSAY_SERVICES_GATEWAY_ONE_SHOT_H_

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <optional>
#include <utility>

namespace assay::gateway {

// A value that one coroutine waits for and a callback brings. Usable again
// once it was taken.
//
// Threads: confined to the coordinator's strand. Waiting cannot be cancelled:
// whoever cancels brings a value.
template <class T>
class OneShot {
 public:
  void Set(T value) {
    if (!waiter_) {
      value_ = std::move(value);
      return;
    }
    auto waiter = std::exchange(waiter_, nullptr);
    waiter(std::move(value));
  }

  boost::asio::awaitable<T> Take() {
    if (value_) co_return *std::exchange(value_, std::nullopt);
    co_return co_await boost::asio::async_initiate<
        const boost::asio::use_awaitable_t<>&, void(T)>(
        [this](auto handler) { waiter_ = std::move(handler); },
        boost::asio::use_awaitable);
  }

 private:
  std::optional<T> value_;
  std::move_only_function<void(T)> waiter_;
};

}  // namespace assay::gateway

#endif  // ASSAY_SERVICES_GATEWAY_ONE_SHOT_H_
