#include "services/attempts/clock.h"

#include <algorithm>
#include <cmath>

#include "services/rpc/proto_time.h"

namespace assay::attempts {
namespace {

using std::chrono::microseconds;

// Longest span that a clock may cover: sums stay far from overflow.
constexpr microseconds kLongest = std::chrono::hours(24 * 366 * 100);

// Works out deadline and cut-off, and counts the change.
ClockRecord Settled(ClockRecord clock) {
  clock.deadline.reset();
  clock.cut_off_time.reset();
  if (clock.start_time && !clock.pause_time) {
    const auto allowed = microseconds(static_cast<std::int64_t>(std::llround(
        static_cast<double>(clock.duration.count()) * clock.accommodation)));
    clock.deadline =
        *clock.start_time + allowed + clock.paused + clock.extended;
    clock.cut_off_time = *clock.deadline + clock.grace;
  }
  if (clock.start_time && clock.hard_close_time)
    clock.cut_off_time =
        std::min(clock.cut_off_time.value_or(*clock.hard_close_time),
                 *clock.hard_close_time);
  ++clock.version;
  return clock;
}

microseconds Bounded(microseconds span) {
  return std::clamp(span, microseconds(0), kLongest);
}

}  // namespace

ClockRecord NewClock(const v1::AssignmentSpec& spec, double accommodation) {
  ClockRecord clock;
  clock.duration = Bounded(rpc::FromProto(spec.duration()));
  clock.grace = Bounded(rpc::FromProto(spec.grace()));
  if (spec.has_hard_close_time())
    clock.hard_close_time = rpc::FromProto(spec.hard_close_time());
  clock.accommodation =
      std::clamp(accommodation, kMinAccommodation, kMaxAccommodation);
  return clock;
}

Expected<ClockRecord> Start(ClockRecord clock, Clock::TimePoint now) {
  if (clock.start_time) return FailedPrecondition("the clock runs already");
  clock.start_time = now;
  return Settled(std::move(clock));
}

Expected<ClockRecord> Extend(ClockRecord clock, microseconds amount) {
  if (!clock.start_time)
    return FailedPrecondition(
        "the clock has not started, so there is no deadline to move; give an "
        "accommodation instead");
  if (amount > kLongest || amount < -kLongest)
    return InvalidArgument("an extension may have up to 100 years");
  const microseconds extended = clock.extended + amount;
  if (extended < microseconds(0) || extended > kLongest)
    return InvalidArgument(
        "only what was added before can be taken back: ",
        std::chrono::duration_cast<std::chrono::seconds>(clock.extended)
            .count(),
        " s");
  const auto before = clock.cut_off_time;
  clock.extended = extended;
  ClockRecord extended_clock = Settled(std::move(clock));
  if (before && extended_clock.cut_off_time == before && amount.count() != 0)
    return FailedPrecondition(
        "the hard close of the assignment comes before the new deadline, so "
        "the extension would change nothing; move the hard close first");
  return extended_clock;
}

Expected<ClockRecord> Pause(ClockRecord clock, Clock::TimePoint now) {
  if (!clock.start_time) return FailedPrecondition("the clock has not started");
  if (clock.pause_time) return FailedPrecondition("the clock is paused");
  if (clock.cut_off_time && now > *clock.cut_off_time)
    return FailedPrecondition(
        "the cut-off has passed; extend the attempt instead");
  clock.pause_time = now;
  return Settled(std::move(clock));
}

Expected<ClockRecord> Resume(ClockRecord clock, Clock::TimePoint now) {
  if (!clock.pause_time) return FailedPrecondition("the clock is not paused");
  // A clock that was set back meanwhile takes no time away.
  clock.paused += std::max(microseconds(0), now - *clock.pause_time);
  clock.pause_time.reset();
  return Settled(std::move(clock));
}

Expected<ClockRecord> Accommodate(ClockRecord clock, double factor) {
  if (!(factor >= kMinAccommodation && factor <= kMaxAccommodation))
    return InvalidArgument("an accommodation is a factor from ",
                           kMinAccommodation, " to ", kMaxAccommodation,
                           ", found ", factor);
  clock.accommodation = factor;
  return Settled(std::move(clock));
}

ClockRecord Adopt(ClockRecord clock, const v1::AssignmentSpec& spec) {
  const ClockRecord other = NewClock(spec, clock.accommodation);
  clock.duration = std::max(clock.duration, other.duration);
  clock.grace = std::max(clock.grace, other.grace);
  if (!other.hard_close_time)
    clock.hard_close_time.reset();
  else if (clock.hard_close_time)
    clock.hard_close_time =
        std::max(*clock.hard_close_time, *other.hard_close_time);
  return Settled(std::move(clock));
}

bool IsLate(const ClockRecord& clock, Clock::TimePoint time) {
  return clock.cut_off_time && time > *clock.cut_off_time;
}

v1::AttemptClock ToProto(const ClockRecord& clock) {
  v1::AttemptClock proto;
  if (clock.start_time)
    *proto.mutable_start_time() = rpc::ToProto(*clock.start_time);
  *proto.mutable_duration() = rpc::ToProto(clock.duration);
  proto.set_accommodation(clock.accommodation);
  *proto.mutable_paused() = rpc::ToProto(clock.paused);
  *proto.mutable_extended() = rpc::ToProto(clock.extended);
  *proto.mutable_grace() = rpc::ToProto(clock.grace);
  if (clock.hard_close_time)
    *proto.mutable_hard_close_time() = rpc::ToProto(*clock.hard_close_time);
  if (clock.deadline) *proto.mutable_deadline() = rpc::ToProto(*clock.deadline);
  if (clock.cut_off_time)
    *proto.mutable_cut_off_time() = rpc::ToProto(*clock.cut_off_time);
  proto.set_version(clock.version);
  if (clock.pause_time)
    *proto.mutable_pause_time() = rpc::ToProto(*clock.pause_time);
  return proto;
}

}  // namespace assay::attempts
