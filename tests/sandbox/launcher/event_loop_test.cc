#include "sandbox/launcher/event_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

namespace assay::sandbox {
namespace {

using std::chrono::milliseconds;
using Clock = EventLoop::Clock;

TEST(EventLoopTest, IdleWorkWaitsUntilNobodyWantsAnything) {
  EventLoop loop;
  bool ran = false;
  Clock::time_point asked;
  const UniqueFd news(::eventfd(1, EFD_CLOEXEC));
  EventLoop::Token watch = 0;
  watch = loop.Watch(news.get(), EPOLLIN, [&](std::uint32_t) {
    loop.Unwatch(watch);
    asked = Clock::now();
    loop.WhenIdle([&ran] { ran = true; });
  });
  while (!ran) loop.RunOnce();
  // News came a little before the callback.
  EXPECT_GE(Clock::now() - asked, milliseconds(1) / 2);
}

TEST(EventLoopTest, IdleWorkIsNotPutOffForEver) {
  EventLoop loop;
  // Always has news.
  const UniqueFd busy(::eventfd(1, EFD_CLOEXEC));
  int served = 0;
  loop.Watch(busy.get(), EPOLLIN, [&served](std::uint32_t) { ++served; });
  bool ran = false;
  int served_before = 0;
  const auto asked = Clock::now();
  loop.WhenIdle([&] {
    ran = true;
    served_before = served;
  });
  while (!ran) loop.RunOnce();
  EXPECT_GE(Clock::now() - asked, milliseconds(10));
  EXPECT_GT(served_before, 0);
}

TEST(EventLoopTest, WhatIsCancelledDoesNotRun) {
  EventLoop loop;
  loop.CancelIdle(loop.WhenIdle([] { FAIL(); }));
  bool timed = false;
  loop.At(Clock::now() + milliseconds(15), [&timed] { timed = true; });
  while (!timed) loop.RunOnce();
}

}  // namespace
}  // namespace assay::sandbox
