#include "runner/steps/curl_multi.h"

#include <sys/epoll.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <mutex>
#include <utility>

#include "runner/wires/spawn.h"

namespace assay::steps {

namespace asio = boost::asio;

namespace {
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
}

CurlMulti::Transfer::Transfer(asio::any_io_executor executor)
    : finished(std::move(executor), asio::steady_timer::time_point::max()) {}

CurlMulti::CurlMulti(asio::any_io_executor executor)
    : executor_(std::move(executor)),
      multi_([] {
        static std::once_flag once;
        std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
        return curl_multi_init();
      }()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      watched_(executor_, epoll_),
      timer_(executor_) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // As many as a burst may leave behind.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1024L);
}

CurlMulti::~CurlMulti() { Close(); }

void CurlMulti::Open() { wires::Spawn(executor_, Watch(shared_from_this())); }

void CurlMulti::Close() {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  curl_multi_cleanup(multi_);
  boost::system::error_code ignored;
  watched_.close(ignored);
}

asio::awaitable<CURLcode> CurlMulti::Run(CURL* easy) {
  Transfer transfer(executor_);
  transfers_[easy] = &transfer;
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) {
    transfers_.erase(easy);
    co_return CURLE_FAILED_INIT;
  }
  while (!transfer.done) co_await transfer.finished.async_wait(kTuple);
  co_return transfer.result;
}

int CurlMulti::OnSocket(CURL*, curl_socket_t socket, int what, void* self,
                        void* known) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (multi.closed_) return 0;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(multi.epoll_, EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  event.data.fd = socket;
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  epoll_ctl(multi.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
            socket, &event);
  // Any mark that is not null: "known".
  curl_multi_assign(multi.multi_, socket, &multi);
  return 0;
}

int CurlMulti::OnTimer(CURLM*, long milliseconds, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  multi.timer_.cancel();
  if (milliseconds < 0 || multi.closed_) return 0;
  // Curl must not be entered from here, also not when the time is already up.
  multi.timer_.expires_after(std::chrono::milliseconds(milliseconds));
  multi.timer_.async_wait([weak = multi.weak_from_this()](
                              const boost::system::error_code& cancelled) {
    const auto alive = weak.lock();
    if (cancelled || alive == nullptr || alive->closed_) return;
    alive->Act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

asio::awaitable<void> CurlMulti::Watch(std::shared_ptr<CurlMulti> self) {
  while (!self->closed_) {
    const auto [error] = co_await self->watched_.async_wait(
        asio::posix::descriptor_base::wait_read, kTuple);
    if (error || self->closed_) co_return;
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(self->epoll_, events.data(),
                                 static_cast<int>(events.size()), 0);
    for (int i = 0; i < count && !self->closed_; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      int mask = 0;
      if (event.events & (EPOLLIN | EPOLLHUP)) mask |= CURL_CSELECT_IN;
      if (event.events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
      if (event.events & EPOLLERR) mask |= CURL_CSELECT_ERR;
      self->Act(event.data.fd, mask);
    }
  }
}

void CurlMulti::Act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  TakeFinished();
}

void CurlMulti::TakeFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode result = message->data.result;
    curl_multi_remove_handle(multi_, easy);
    const auto it = transfers_.find(easy);
    if (it == transfers_.end()) continue;
    it->second->done = true;
    it->second->result = result;
    it->second->finished.cancel();
    transfers_.erase(it);
  }
}

}  // namespace assay::steps
