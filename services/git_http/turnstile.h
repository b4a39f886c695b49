#ifndef ASSAY_SERVICES_GIT_HTTP_TURNSTILE_H_
#define ASSAY_SERVICES_GIT_HTTP_TURNSTILE_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <deque>
#include <functional>
#include <utility>

namespace assay::git_http {

// Lets so many through at a time, in the order of coming: git's programs take
// a process and a core each, and five hundred pushes may come at once.
//
// Threads: confined to the strand. Waiting cannot be cancelled.
class Turnstile {
 public:
  Turnstile(boost::asio::any_io_executor strand, int places);

  // A place; given back when destroyed.
  class Place {
   public:
    explicit Place(Turnstile* turnstile) : turnstile_(turnstile) {}
    Place(Place&& other) noexcept
        : turnstile_(std::exchange(other.turnstile_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (turnstile_ != nullptr) turnstile_->Leave();
    }

   private:
    Turnstile* turnstile_;
  };
  boost::asio::awaitable<Place> Enter();

 private:
  void Leave();

  const boost::asio::any_io_executor strand_;
  int free_;
  std::deque<std::move_only_function<void()>> waiting_;
};

}  // namespace assay::git_http

#endif  // ASSAY_SERVICES_GIT_HTTP_TURNSTILE_H_
