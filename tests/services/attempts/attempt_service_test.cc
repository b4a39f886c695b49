#include "services/attempts/attempt_service.h"

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

class AttemptServiceTest : public testing::ServiceTest {
 protected:
  Expected<v1::StartAttemptResponse> Start(const rpc::Caller& candidate) {
    v1::StartAttemptRequest request;
    request.set_name("attempts/me");
    return assay_.Call<v1::StartAttemptResponse>(
        candidate, "AttemptService/StartAttempt", request);
  }
  Expected<v1::ExtendAttemptResponse> Extend(const rpc::Caller& candidate,
                                             std::int64_t by_seconds,
                                             const std::string& id = "") {
    v1::ExtendAttemptRequest request;
    request.set_name("attempts/" + candidate.attempt.str());
    request.mutable_extension()->set_seconds(by_seconds);
    request.set_reason("the power failed");
    request.set_request_id(id);
    return assay_.Call<v1::ExtendAttemptResponse>(
        Installation::Admin(), "AttemptService/ExtendAttempt", request);
  }
  int Sweep() {
    return assay_.loop.Await(assay_.parts().deadlines->Sweep()).value();
  }
};

TEST_F(AttemptServiceTest, StartingMakesTheRepositoryAndThenTheClock) {
  const v1::Assignment assignment = assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Accept();
  EXPECT_EQ(assay_.GetAttempt(candidate).state(), v1::Attempt::STATE_ACCEPTED);
  EXPECT_EQ(assay_.GetAttempt(candidate).clone_url(), "");

  const auto started = Start(candidate);
  ASSERT_THAT(started, IsOk());
  EXPECT_EQ(started->attempt().state(), v1::Attempt::STATE_STARTED);
  EXPECT_EQ(rpc::FromProto(started->attempt().clock().deadline()),
            assay_.clock.Now() + hours(1));
  ASSERT_EQ(assay_.repositories.repositories.size(), 1);
  const auto& [repository, commit] = *assay_.repositories.repositories.begin();
  EXPECT_EQ(commit, assignment.template_commit());
  EXPECT_EQ(started->attempt().clone_url(),
            "http://assay.test/git/" + repository.str() + ".git");
  EXPECT_EQ(assay_.clock_changes, 1);
}

TEST_F(AttemptServiceTest, StartingTwiceAnswersWithTheRunningAttempt) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  const auto first = assay_.GetAttempt(candidate);
  assay_.clock.Advance(minutes(5));
  const auto again = Start(candidate);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->attempt().clock().deadline().seconds(),
            first.clock().deadline().seconds());
}

TEST_F(AttemptServiceTest, AStartThatWasCutOffCostsNoTimeAndIsTakenOver) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Accept();
  assay_.repositories.failure = Error{Code::kUnavailable, "disk full"};
  EXPECT_THAT(Start(candidate), FailsWith(Code::kUnavailable));
  EXPECT_EQ(assay_.GetAttempt(candidate).state(), v1::Attempt::STATE_ACCEPTED);
  assay_.clock.Advance(minutes(30));
  ASSERT_THAT(Start(candidate), IsOk());
  EXPECT_EQ(rpc::FromProto(assay_.GetAttempt(candidate).clock().deadline()),
            assay_.clock.Now() + hours(1));
}

TEST_F(AttemptServiceTest, TheWindowIsKept) {
  v1::AssignmentSpec spec = Installation::SomeSpec();
  *spec.mutable_open_time() = rpc::ToProto(assay_.clock.Now() + hours(1));
  *spec.mutable_hard_close_time() = rpc::ToProto(assay_.clock.Now() + hours(3));
  assay_.MakeAssignment(spec);
  const rpc::Caller early = assay_.Accept();
  const rpc::Caller late = assay_.Accept();
  EXPECT_THAT(Start(early), FailsWith(Code::kFailedPrecondition, "opens at"));
  assay_.clock.Advance(hours(1));
  EXPECT_THAT(Start(early), IsOk());
  assay_.clock.Advance(hours(2));
  EXPECT_THAT(Start(late), FailsWith(Code::kFailedPrecondition, "closed at"));
}

TEST_F(AttemptServiceTest, AnothersAttemptIsNotThere) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  const rpc::Caller other = assay_.Begin();
  const std::string name = "attempts/" + other.attempt.str();
  v1::GetAttemptRequest get;
  get.set_name(name);
  EXPECT_THAT(assay_.Call<v1::GetAttemptResponse>(
                  candidate, "AttemptService/GetAttempt", get),
              FailsWith(Code::kNotFound));
  v1::CreateGitTokenRequest token;
  token.set_name(name);
  EXPECT_THAT(assay_.Call<v1::CreateGitTokenResponse>(
                  candidate, "AttemptService/CreateGitToken", token),
              FailsWith(Code::kNotFound));
  v1::StartAttemptRequest start;
  start.set_name(name);
  EXPECT_THAT(assay_.Call<v1::StartAttemptResponse>(
                  candidate, "AttemptService/StartAttempt", start),
              FailsWith(Code::kNotFound));
  v1::ListPushesRequest pushes;
  pushes.set_attempt(name);
  EXPECT_THAT(assay_.Call<v1::ListPushesResponse>(
                  candidate, "AttemptService/ListPushes", pushes),
              FailsWith(Code::kNotFound));
}

TEST_F(AttemptServiceTest, ReviewersDoNotLearnWhoTheCandidateIs) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  const auto as = [&](v1::Role role) {
    return assay_
        .Call<v1::ListAttemptsResponse>(Installation::As(role),
                                        "AttemptService/ListAttempts",
                                        v1::ListAttemptsRequest())
        .value()
        .attempts(0);
  };
  EXPECT_EQ(as(v1::ROLE_REVIEWER).candidate_name(), "");
  EXPECT_EQ(as(v1::ROLE_REVIEWER).candidate_email(), "");
  EXPECT_EQ(as(v1::ROLE_AUTHOR).candidate_name(), "Ada Lovelace");
  EXPECT_EQ(assay_.GetAttempt(candidate).candidate_name(), "Ada Lovelace");
}

TEST_F(AttemptServiceTest, AGitTokenOpensTheOwnRepositoryOnly) {
  assay_.MakeAssignment();
  const rpc::Caller waiting = assay_.Accept();
  const rpc::Caller candidate = assay_.Begin();
  v1::CreateGitTokenRequest request;
  request.set_name("attempts/me");
  EXPECT_THAT(assay_.Call<v1::CreateGitTokenResponse>(
                  waiting, "AttemptService/CreateGitToken", request),
              FailsWith(Code::kFailedPrecondition, "start it"));
  const auto token = assay_.Call<v1::CreateGitTokenResponse>(
      candidate, "AttemptService/CreateGitToken", request);
  ASSERT_THAT(token, IsOk());
  EXPECT_THAT(assay_.loop.Await(assay_.parts().identity->Authenticate(
                  "Bearer " + token->password())),
              FailsWith(Code::kUnauthenticated));
  EXPECT_NE(token->clone_url().find(assay_.RepositoryOf(candidate).str()),
            std::string::npos);
}

TEST_F(AttemptServiceTest, AnExtensionMovesTheDeadlineOncePerRequest) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  const auto start = assay_.clock.Now();
  const auto first = Extend(candidate, 600, "r1");
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(rpc::FromProto(first->attempt().clock().deadline()),
            start + minutes(70));
  EXPECT_EQ(Extend(candidate, 600, "r1")->attempt().clock().version(),
            first->attempt().clock().version());
  EXPECT_THAT(Extend(candidate, 700, "r1"),
              FailsWith(Code::kInvalidArgument, "r1"));
  EXPECT_EQ(rpc::FromProto(assay_.GetAttempt(candidate).clock().deadline()),
            start + minutes(70));
}

TEST_F(AttemptServiceTest, AnExtensionNeedsAReasonAndIsAudited) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  v1::ExtendAttemptRequest request;
  request.set_name("attempts/" + candidate.attempt.str());
  request.mutable_extension()->set_seconds(60);
  EXPECT_THAT(
      assay_.Call<v1::ExtendAttemptResponse>(
          Installation::Admin(), "AttemptService/ExtendAttempt", request),
      FailsWith(Code::kInvalidArgument, "reason"));
  ASSERT_THAT(Extend(candidate, 60), IsOk());
  const auto audit = assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); });
  EXPECT_EQ(audit->back().action, "attempt.extend");
  EXPECT_EQ(audit->back().actor, "ROLE_ADMIN");
  EXPECT_THAT(audit->back().detail, ::testing::HasSubstr("the power failed"));
  const auto events =
      assay_.Read([id = candidate.attempt](storage::Transaction& tx) {
        return tx.attempts.ListClockEvents(id);
      });
  ASSERT_EQ(events->size(), 2);
  EXPECT_EQ((*events)[1].amount, minutes(1));
  EXPECT_EQ((*events)[1].reason, "the power failed");
}

TEST_F(AttemptServiceTest, AnExtensionBeforeTheSweepWins) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(hours(1) + seconds(1));
  ASSERT_THAT(Extend(candidate, 600), IsOk());
  EXPECT_EQ(Sweep(), 0);
  EXPECT_EQ(assay_.GetAttempt(candidate).state(), v1::Attempt::STATE_STARTED);
}

TEST_F(AttemptServiceTest, AnExtensionAfterTheDeadlineOpensTheAttemptAgain) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(hours(1) + seconds(1));
  ASSERT_EQ(Sweep(), 1);
  ASSERT_THAT(Extend(candidate, 600), IsOk());
  EXPECT_EQ(assay_.GetAttempt(candidate).state(), v1::Attempt::STATE_STARTED);
  assay_.clock.Advance(minutes(5));
  assay_.Push(candidate, 'b');
  assay_.clock.Advance(minutes(10));
  ASSERT_EQ(Sweep(), 1);
  // Nothing more came in this time: what was handed in stays the last.
  ASSERT_THAT(Extend(candidate, 3'600), IsOk());
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(Sweep(), 1);
  const auto submissions =
      assay_.Read([id = candidate.attempt](storage::Transaction& tx) {
        return tx.submissions.List(id);
      });
  ASSERT_EQ(submissions->size(), 2);
  EXPECT_EQ((*submissions)[1].commit, std::string(40, 'b'));
}

TEST_F(AttemptServiceTest, ANewVersionHoldsForThoseWhoStartAfterIt) {
  assay_.MakeAssignment();
  const rpc::Caller running = assay_.Begin();
  const rpc::Caller waiting = assay_.Accept();
  ASSERT_THAT(assay_.Write([](storage::Transaction& tx) -> Status {
    ASSAY_ASSIGN_OR_RETURN(auto record,
                           tx.assignments.Get(AssignmentId("orders")));
    record.version = 2;
    record.spec.mutable_duration()->set_seconds(7'200);
    return tx.assignments.AddVersion(record);
  }),
              IsOk());
  ASSERT_THAT(Start(waiting), IsOk());
  EXPECT_EQ(assay_.GetAttempt(running).assignment_version(), 1);
  EXPECT_EQ(assay_.GetAttempt(waiting).assignment_version(), 2);
  EXPECT_EQ(rpc::FromProto(assay_.GetAttempt(waiting).clock().deadline()),
            assay_.clock.Now() + hours(2));
}

TEST_F(AttemptServiceTest, PushesAreListedOldestFirstWithTheirRefusals) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(hours(2));
  ASSERT_THAT(assay_.loop.Await(assay_.parts().pushes->RecordPushIntent(
                  assay_.Intent(candidate, 'b'))),
              IsOk());
  v1::ListPushesRequest request;
  request.set_attempt("attempts/me");
  const auto pushes = assay_.Call<v1::ListPushesResponse>(
      candidate, "AttemptService/ListPushes", request);
  ASSERT_EQ(pushes->pushes_size(), 2);
  EXPECT_EQ(pushes->pushes(0).state(), v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(pushes->pushes(1).state(), v1::Push::STATE_REFUSED);
  EXPECT_TRUE(pushes->pushes(1).late());
}

}  // namespace
}  // namespace assay::attempts
