#include "sandbox/launcher/event_loop.h"

#include <algorithm>
#include <ctime>

namespace assay::sandbox {
namespace {

// A program that was just started has the processors for as long as a short
// one takes.
constexpr std::chrono::milliseconds kQuiet{1};
constexpr std::chrono::milliseconds kPatience{10};

}  // namespace

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
  idle_.emplace(token, IdleWork{Clock::now() + kPatience, std::move(callback)});
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

EventLoop::Clock::time_point EventLoop::IdleTime() const {
  return std::min(last_news_ + kQuiet, idle_.begin()->second.at_latest);
}

void EventLoop::RunIdle() {
  if (idle_.empty() || Clock::now() < IdleTime()) return;
  idle_.extract(idle_.begin()).mapped().callback();
}

void EventLoop::RunOnce() {
  auto next = Clock::time_point::max();
  if (!timers_.empty()) next = timers_.begin()->first.first;
  if (!idle_.empty()) next = std::min(next, IdleTime());
  timespec wait = {};
  if (next != Clock::time_point::max()) {
    const auto left = std::max(next - Clock::now(), Clock::duration::zero());
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    wait.tv_sec = left.count() / kNsPerSecond;
    wait.tv_nsec = left.count() % kNsPerSecond;
  }
  epoll_event events[64];
  const int count = ::epoll_pwait2(
      epoll_.get(), events, std::size(events),
      next == Clock::time_point::max() ? nullptr : &wait, nullptr);
  if (count > 0) last_news_ = Clock::now();
  RunTimers();
  for (int i = 0; i < count; ++i) {
    // The kernel's struct is packed: no reference may be made of its member.
    const Token token = events[i].data.u64;
    // An earlier callback of this round may have removed the watch.
    const auto it = watched_.find(token);
    if (it == watched_.end()) continue;
    // A copy, because the callback may remove itself.
    const auto callback = it->second.callback;
    callback(events[i].events);
  }
  RunIdle();
}

}  // namespace assay::sandbox
