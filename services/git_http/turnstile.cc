#include "services/git_http/turnstile.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace assay::git_http {

namespace asio = boost::asio;

Turnstile::Turnstile(asio::any_io_executor strand, int places)
    : strand_(std::move(strand)), free_(places) {}

asio::awaitable<Turnstile::Place> Turnstile::Enter() {
  if (free_ > 0) {
    --free_;
    co_return Place(this);
  }
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
      [this](auto handler) { waiting_.emplace_back(std::move(handler)); },
      asio::use_awaitable);
  co_return Place(this);
}

// The place goes from hand to hand. Posted, so that whoever leaves is done
// leaving before the next one goes on.
void Turnstile::Leave() {
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  asio::post(strand_, std::move(waiting_.front()));
  waiting_.pop_front();
}

}  // namespace assay::git_http
