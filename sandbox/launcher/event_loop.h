#ifndef ASSAY_SANDBOX_LAUNCHER_EVENT_LOOP_H_
#define ASSAY_SANDBOX_LAUNCHER_EVENT_LOOP_H_

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "sandbox/cell/unique_fd.h"

namespace assay::sandbox {

// Waits for descriptors and points in time, and calls back.
//
// Threads: one. Callbacks may add and remove watches and timers, their own too.
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Token = std::uint64_t;

  EventLoop();

  // Calls `callback` with the EPOLL* bits whenever `fd` has any of `events`
  // (or EPOLLHUP, EPOLLERR). 0 with errno if the kernel refuses.
  Token Watch(int fd, std::uint32_t events,
              std::function<void(std::uint32_t)> callback);
  void Change(Token token, std::uint32_t events);
  // Must come before the descriptor is closed. 0 is ignored.
  void Unwatch(Token token);

  // Calls `callback` once, at `when`.
  Token At(Clock::time_point when, std::function<void()> callback);
  void CancelTimer(Token token);

  // Calls `callback` once, when no descriptor had news for a while, and in any
  // case after a longer one: for work that must not take the processor from
  // whoever was served last.
  Token WhenIdle(std::function<void()> callback);
  void CancelIdle(Token token);

  // One wait and the callbacks that it brought.
  void RunOnce();

 private:
  struct Watched {
    int fd;
    std::function<void(std::uint32_t)> callback;
  };
  void RunTimers();
  Clock::time_point IdleTime() const;
  void RunIdle();

  UniqueFd epoll_;
  Token last_token_ = 0;
  Clock::time_point last_news_;
  std::map<Token, Watched> watched_;
  // By time, then token.
  std::map<std::pair<Clock::time_point, Token>, std::function<void()>> timers_;
  std::map<Token, Clock::time_point> timer_times_;
  struct IdleWork {
    Clock::time_point at_latest;
    std::function<void()> callback;
  };
  std::map<Token, IdleWork> idle_;
};

}  // namespace assay::sandbox

#endif  // ASSAY_SANDBOX_LAUNCHER_EVENT_LOOP_H_
