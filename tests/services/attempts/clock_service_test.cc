#include "services/attempts/clock_service.h"

#include "assay/v1/attempt_service.pb.h"
#include "services/rpc/proto_time.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class ClockServiceTest : public testing::ServiceTest {
 protected:
  ClockServiceTest() { assay_.MakeAssignment(); }

  template <class Response, class Request>
  Expected<Response> Call(const char* method, const rpc::Caller& candidate,
                          Request request) {
    request.set_name("attempts/" + candidate.attempt.str());
    if (request.reason().empty()) request.set_reason("because");
    return assay_.Call<Response>(Installation::Admin(),
                                 std::string("AttemptService/") + method,
                                 request);
  }
  Expected<v1::PauseAttemptResponse> Pause(const rpc::Caller& candidate) {
    return Call<v1::PauseAttemptResponse>("PauseAttempt", candidate,
                                          v1::PauseAttemptRequest());
  }
  Expected<v1::ResumeAttemptResponse> Resume(const rpc::Caller& candidate) {
    return Call<v1::ResumeAttemptResponse>("ResumeAttempt", candidate,
                                           v1::ResumeAttemptRequest());
  }
  Expected<v1::SetAccommodationResponse> Accommodate(
      const rpc::Caller& candidate, double factor) {
    v1::SetAccommodationRequest request;
    request.set_factor(factor);
    return Call<v1::SetAccommodationResponse>("SetAccommodation", candidate,
                                              request);
  }
  Expected<v1::CreditOutageResponse> Credit(Clock::TimePoint from,
                                            Clock::TimePoint to) {
    v1::CreditOutageRequest request;
    *request.mutable_start_time() = rpc::ToProto(from);
    *request.mutable_end_time() = rpc::ToProto(to);
    request.set_reason("the server was down");
    request.set_request_id("r1");
    return assay_.Call<v1::CreditOutageResponse>(
        Installation::Admin(), "AttemptService/CreditOutage", request);
  }
  Clock::TimePoint Deadline(const rpc::Caller& candidate) {
    return rpc::FromProto(assay_.GetAttempt(candidate).clock().deadline());
  }
  int Sweep() {
    return assay_.loop.Await(assay_.parts().deadlines->Sweep()).value();
  }
};

TEST_F(ClockServiceTest, APausedAttemptIsNotFrozenAndGetsItsTimeBack) {
  const rpc::Caller candidate = assay_.Begin();
  const auto deadline = Deadline(candidate);
  assay_.clock.Advance(minutes(30));
  ASSERT_THAT(Pause(candidate), IsOk());
  EXPECT_THAT(Pause(candidate), FailsWith(Code::kFailedPrecondition));
  assay_.clock.Advance(hours(5));
  EXPECT_EQ(Sweep(), 0);
  assay_.Push(candidate, 'a');
  ASSERT_THAT(Resume(candidate), IsOk());
  EXPECT_EQ(Deadline(candidate), deadline + hours(5));
  assay_.clock.Advance(minutes(30) + seconds(1));
  EXPECT_EQ(Sweep(), 1);
}

TEST_F(ClockServiceTest, AccommodationCountsBeforeAndAfterTheStart) {
  const rpc::Caller early = assay_.Accept();
  ASSERT_THAT(Accommodate(early, 2), IsOk());
  v1::StartAttemptRequest start;
  start.set_name("attempts/me");
  ASSERT_THAT(assay_.Call<v1::StartAttemptResponse>(
                  early, "AttemptService/StartAttempt", start),
              IsOk());
  EXPECT_EQ(Deadline(early), assay_.clock.Now() + hours(2));
  const rpc::Caller running = assay_.Begin();
  ASSERT_THAT(Accommodate(running, 1.5), IsOk());
  EXPECT_EQ(Deadline(running), assay_.clock.Now() + minutes(90));
  EXPECT_THAT(Accommodate(running, 0), FailsWith(Code::kInvalidArgument));
}

TEST_F(ClockServiceTest, AnOutageIsGivenBackAsFarAsEachClockRan) {
  const rpc::Caller whole = assay_.Begin();
  const auto start = assay_.clock.Now();
  assay_.clock.Advance(minutes(20));
  const rpc::Caller part = assay_.Begin();
  assay_.clock.Advance(minutes(20));
  const rpc::Caller after = assay_.Begin();
  const auto deadline = Deadline(after);
  // Down from the 10th to the 30th minute.
  const auto credited = Credit(start + minutes(10), start + minutes(30));
  ASSERT_THAT(credited, IsOk());
  EXPECT_EQ(credited->credits_size(), 2);
  EXPECT_EQ(Deadline(whole), start + hours(1) + minutes(20));
  EXPECT_EQ(Deadline(part), start + minutes(20) + hours(1) + minutes(10));
  EXPECT_EQ(Deadline(after), deadline);
  // The same request again changes nothing.
  ASSERT_THAT(Credit(start + minutes(10), start + minutes(30)), IsOk());
  EXPECT_EQ(Deadline(whole), start + hours(1) + minutes(20));
}

TEST_F(ClockServiceTest, AnOutageOfOneIsGivenBackToThatOneOnly) {
  const rpc::Caller one = assay_.Begin();
  const rpc::Caller other = assay_.Begin();
  const auto deadline = Deadline(one);
  const auto start = assay_.clock.Now();
  assay_.clock.Advance(minutes(20));
  v1::CreditOutageRequest request;
  request.set_attempt("attempts/" + one.attempt.str());
  *request.mutable_start_time() = rpc::ToProto(start);
  *request.mutable_end_time() = rpc::ToProto(start + minutes(10));
  request.set_reason("their network was down");
  const auto credit = [&] {
    return assay_.Call<v1::CreditOutageResponse>(
        Installation::Admin(), "AttemptService/CreditOutage", request);
  };
  ASSERT_THAT(credit(), IsOk());
  EXPECT_EQ(Deadline(one), deadline + minutes(10));
  EXPECT_EQ(Deadline(other), deadline);
  request.set_assignment("assignments/orders");
  EXPECT_THAT(credit(), FailsWith(Code::kInvalidArgument, "found both"));
  request.clear_assignment();
  request.set_attempt("attempts/att_00000000000000000000");
  EXPECT_THAT(credit(), FailsWith(Code::kNotFound));
}

TEST_F(ClockServiceTest, EveryClockThatRunsCanBeStoppedAndGoesOn) {
  const rpc::Caller first = assay_.Begin();
  const rpc::Caller second = assay_.Begin();
  const rpc::Caller waiting = assay_.Accept();
  const auto deadline = Deadline(first);
  ASSERT_THAT(Pause(second), IsOk());
  v1::PauseAttemptsRequest pause;
  pause.set_assignment("assignments/orders");
  pause.set_request_id("p1");
  const auto stop = [&] {
    return assay_.Call<v1::PauseAttemptsResponse>(
        Installation::Admin(), "AttemptService/PauseAttempts", pause);
  };
  EXPECT_THAT(stop(), FailsWith(Code::kInvalidArgument, "reason"));
  pause.set_reason("power cut");
  for (int i = 0; i < 2; ++i) {  // a repeat is answered the same
    const auto paused = stop();
    ASSERT_THAT(paused, IsOk());
    ASSERT_EQ(paused->attempts_size(), 1);
    EXPECT_EQ(paused->attempts(0), "attempts/" + first.attempt.str());
  }
  assay_.clock.Advance(hours(9));
  EXPECT_EQ(Sweep(), 0);
  v1::ResumeAttemptsRequest resume;
  resume.set_reason("power is back");
  const auto resumed = assay_.Call<v1::ResumeAttemptsResponse>(
      Installation::Admin(), "AttemptService/ResumeAttempts", resume);
  ASSERT_THAT(resumed, IsOk());
  EXPECT_EQ(resumed->attempts_size(), 2);
  EXPECT_EQ(Deadline(first), deadline + hours(9));
  EXPECT_EQ(assay_.GetAttempt(waiting).state(), v1::Attempt::STATE_ACCEPTED);
  pause.set_assignment("assignments/nothing");
  pause.set_request_id("p2");
  EXPECT_THAT(stop(), FailsWith(Code::kNotFound));
}

TEST_F(ClockServiceTest, AnOutageOverADeadlineOpensTheAttemptAgain) {
  const rpc::Caller candidate = assay_.Begin();
  const auto start = assay_.clock.Now();
  assay_.clock.Advance(minutes(70));
  ASSERT_EQ(Sweep(), 1);
  ASSERT_THAT(Credit(start + minutes(40), start + minutes(65)), IsOk());
  EXPECT_EQ(assay_.GetAttempt(candidate).state(), v1::Attempt::STATE_STARTED);
  EXPECT_EQ(Deadline(candidate), start + minutes(80));
}

TEST_F(ClockServiceTest, AnOutageThatLiesAheadIsRefused) {
  const auto now = assay_.clock.Now();
  EXPECT_THAT(Credit(now, now + minutes(1)),
              FailsWith(Code::kInvalidArgument, "has ended"));
  EXPECT_THAT(Credit(now, now), FailsWith(Code::kInvalidArgument));
}

}  // namespace
}  // namespace assay::attempts
