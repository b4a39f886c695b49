#include "sandbox/launcher/event_loop.h"

#include <algorithm>
#include <ctime>

namespace assay::sandbox {

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

EventLoop::Token EventLoop::Watch(int fd, std::uint32_t events,
                                  std::function<void(std::uint32_t)> callback) {
  const Token token = ++last_token_;
  epoll_event event = {.events = events, .data = {.u64 = token}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return 0;
  watched_.emplace(token, Watched{fd, std::move(callback)});
  return token;
}

void EventLoop::Change(Token token, std::uint32_t events) {
  const auto it = watched_.find(token);
  if (it == watched_.end()) return;
  epoll_event event = {.events = events, .data = {.u64 = token}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, it->second.fd, &event);
}

void EventLoop::Unwatch(Token token) {
  const auto it = watched_.find(token);
  if (it == watched_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, it->second.fd, nullptr);
  watched_.erase(it);
}

EventLoop::Token EventLoop::At(Clock::time_point when,
                               std::function<void()> callback) {
  const Token token = ++last_token_;
  timers_.emplace(std::pair(when, token), std::move(callback));
  timer_times_.emplace(token, when);
  return token;
}

void EventLoop::CancelTimer(Token token) {
  const auto it = timer_times_.find(token);
  if (it == timer_times_.end()) return;
  timers_.erase({it->second, token});
  timer_times_.erase(it);
}

EventLoop::Token EventLoop::WhenIdle(std::function<void()> callback) {
  const Token token = ++last_token_;
  idle_.emplace(token, std::move(callback));
  return token;
}

void EventLoop::CancelIdle(Token token) { idle_.erase(token); }

void EventLoop::RunTimers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    timer_times_.erase(node.key().second);
    node.mapped()();
  }
}

void EventLoop::RunOnce() {
  timespec wait = {};
  timespec* timeout = nullptr;
  if (!timers_.empty()) {
    const auto left = std::max(timers_.begin()->first.first - Clock::now(),
                               Clock::duration::zero());
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    wait.tv_sec = left.count() / kNsPerSecond;
    wait.tv_nsec = left.count() % kNsPerSecond;
    timeout = &wait;
  }
  if (!idle_.empty()) {
    wait = {};
    timeout = &wait;
  }
  epoll_event events[64];
  const int count =
      ::epoll_pwait2(epoll_.get(), events, std::size(events), timeout, nullptr);
  RunTimers();
  if (count == 0 && !idle_.empty()) idle_.extract(idle_.begin()).mapped()();
  for (int i = 0; i < count; ++i) {
    // An earlier callback of this round may have removed the watch.
    const auto it = watched_.find(events[i].data.u64);
    if (it == watched_.end()) continue;
    // A copy, because the callback may remove itself.
    const auto callback = it->second.callback;
    callback(events[i].events);
  }
}

}  // namespace assay::sandbox
