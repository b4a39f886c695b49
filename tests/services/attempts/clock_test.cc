#include "services/attempts/clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "services/rpc/proto_time.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/matchers.h"

namespace assay::attempts {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FailsWith;
using testing::IsOk;

const Clock::TimePoint kNow = FromMicros(testing::ManualClock::kStartMicros);

v1::AssignmentSpec HourWithGrace() {
  v1::AssignmentSpec spec;
  spec.mutable_duration()->set_seconds(3'600);
  spec.mutable_grace()->set_seconds(120);
  return spec;
}

v1::AssignmentSpec ClosingAt(Clock::TimePoint time) {
  v1::AssignmentSpec spec = HourWithGrace();
  *spec.mutable_hard_close_time() = rpc::ToProto(time);
  return spec;
}

TEST(ClockTest, HasNoDeadlineBeforeTheStart) {
  const ClockRecord clock = NewClock(HourWithGrace());
  EXPECT_FALSE(clock.deadline);
  EXPECT_FALSE(clock.cut_off_time);
  EXPECT_FALSE(IsLate(clock, kNow + hours(1'000)));
}

TEST(ClockTest, TheCutOffIsTheDeadlineAndTheGrace) {
  const ClockRecord clock = *Start(NewClock(HourWithGrace()), kNow);
  EXPECT_EQ(clock.deadline, kNow + hours(1));
  EXPECT_EQ(clock.cut_off_time, kNow + hours(1) + minutes(2));
  EXPECT_FALSE(IsLate(clock, *clock.cut_off_time));
  EXPECT_TRUE(IsLate(clock, *clock.cut_off_time + microseconds(1)));
}

TEST(ClockTest, StartsOnce) {
  EXPECT_THAT(Start(*Start(NewClock(HourWithGrace()), kNow), kNow),
              FailsWith(Code::kFailedPrecondition));
}

TEST(ClockTest, AccommodationStretchesTheTimeAllowedAndNothingElse) {
  ClockRecord clock = *Start(NewClock(HourWithGrace(), 1.5), kNow);
  clock = *Extend(clock, minutes(10));
  EXPECT_EQ(clock.deadline, kNow + minutes(90) + minutes(10));
  EXPECT_EQ(clock.cut_off_time, *clock.deadline + minutes(2));
  EXPECT_THAT(Accommodate(clock, 0.5), FailsWith(Code::kInvalidArgument));
  EXPECT_THAT(Accommodate(clock, 11), FailsWith(Code::kInvalidArgument));
  EXPECT_EQ(Accommodate(clock, 2)->deadline, kNow + minutes(130));
}

TEST(ClockTest, TheHardCloseEndsGraceExtensionsAndPauses) {
  const auto close = kNow + minutes(61);
  ClockRecord clock = *Start(NewClock(ClosingAt(close)), kNow);
  EXPECT_EQ(clock.cut_off_time, close);
  EXPECT_THAT(Extend(clock, minutes(10)),
              FailsWith(Code::kFailedPrecondition, "hard close"));
  clock = *Pause(clock, kNow + minutes(1));
  EXPECT_FALSE(clock.deadline);
  EXPECT_EQ(clock.cut_off_time, close);
}

TEST(ClockTest, APauseMovesTheDeadlineByItsLength) {
  ClockRecord clock = *Start(NewClock(HourWithGrace()), kNow);
  clock = *Pause(clock, kNow + minutes(10));
  EXPECT_FALSE(clock.deadline);
  EXPECT_FALSE(IsLate(clock, kNow + hours(50)));
  EXPECT_THAT(Pause(clock, kNow), FailsWith(Code::kFailedPrecondition));
  clock = *Resume(clock, kNow + minutes(25));
  EXPECT_EQ(clock.deadline, kNow + hours(1) + minutes(15));
  EXPECT_THAT(Resume(clock, kNow), FailsWith(Code::kFailedPrecondition));
}

TEST(ClockTest, AClockThatJumpedBackTakesNoTimeAway) {
  ClockRecord clock = *Start(NewClock(HourWithGrace()), kNow);
  clock = *Resume(*Pause(clock, kNow + minutes(10)), kNow - hours(1));
  EXPECT_EQ(clock.deadline, kNow + hours(1));
}

TEST(ClockTest, APauseAfterTheCutOffIsRefused) {
  const ClockRecord clock = *Start(NewClock(HourWithGrace()), kNow);
  EXPECT_THAT(Pause(clock, kNow + hours(2)),
              FailsWith(Code::kFailedPrecondition, "extend"));
}

TEST(ClockTest, OnlyWhatWasAddedCanBeTakenBack) {
  ClockRecord clock = *Start(NewClock(HourWithGrace()), kNow);
  clock = *Extend(clock, minutes(30));
  clock = *Extend(clock, -minutes(10));
  EXPECT_EQ(clock.deadline, kNow + minutes(80));
  EXPECT_THAT(Extend(clock, -minutes(21)), FailsWith(Code::kInvalidArgument));
  EXPECT_THAT(Extend(NewClock(HourWithGrace()), minutes(1)),
              FailsWith(Code::kFailedPrecondition));
}

TEST(ClockTest, AbsurdSpansStayWithinBounds) {
  v1::AssignmentSpec spec;
  spec.mutable_duration()->set_seconds(
      std::numeric_limits<std::int64_t>::max() / 2'000'000);
  const ClockRecord clock = *Start(NewClock(spec, 10), kNow);
  EXPECT_GT(*clock.deadline, kNow);
  EXPECT_THAT(Extend(clock, microseconds::max()),
              FailsWith(Code::kInvalidArgument));
}

// Random histories of changes, held against the formula itself.
TEST(ClockTest, AnyHistoryKeepsTheFormula) {
  std::mt19937 random(11);
  for (int round = 0; round < 1'000; ++round) {
    const bool closes = random() % 2 == 0;
    const auto close = kNow + minutes(30 + random() % 300);
    ClockRecord clock = NewClock(closes ? ClosingAt(close) : HourWithGrace(),
                                 1.0 + (random() % 20) / 10.0);
    Clock::TimePoint now = kNow;
    microseconds paused{0};
    microseconds extended{0};
    Clock::TimePoint pause_began;
    std::int32_t version = 0;
    clock = *Start(clock, now);
    for (int step = 0; step < 12; ++step) {
      now += seconds(random() % 600);
      ASSERT_EQ(clock.version, ++version);
      Expected<ClockRecord> next = clock;
      const microseconds amount = seconds(random() % 1'200);
      switch (random() % 3) {
        case 0:
          next = Pause(clock, now);
          if (next) pause_began = now;
          break;
        case 1:
          next = Resume(clock, now);
          if (next) paused += now - pause_began;
          break;
        default:
          next = Extend(clock, amount);
          if (next) extended += amount;
      }
      if (next)
        clock = *next;
      else
        --version;

      if (clock.pause_time) {
        ASSERT_FALSE(clock.deadline);
        ASSERT_EQ(clock.cut_off_time.has_value(), closes);
        continue;
      }
      const auto allowed = microseconds(static_cast<std::int64_t>(
          std::llround(3'600e6 * clock.accommodation)));
      const auto deadline = kNow + allowed + paused + extended;
      ASSERT_EQ(clock.deadline, deadline);
      const auto cut_off = deadline + minutes(2);
      ASSERT_EQ(clock.cut_off_time,
                closes ? std::min(cut_off, close) : cut_off);
    }
  }
}

}  // namespace
}  // namespace assay::attempts
