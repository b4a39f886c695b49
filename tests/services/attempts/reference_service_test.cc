// The author's own solution stands beside the candidates' attempts: it is
// graded like them, by every check, and counted nowhere among them.

#include "services/attempts/reference_service.h"

#include <gmock/gmock.h>

#include "assay/v1/assignment_service.pb.h"
#include "assay/v1/attempt_service.pb.h"
#include "assay/v1/decision_service.pb.h"
#include "assay/v1/overview_service.pb.h"
#include "assay/v1/run_service.pb.h"
#include "services/rpc/proto_time.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class ReferenceServiceTest : public testing::ServiceTest {
 protected:
  ReferenceServiceTest() { assay_.MakeAssignment(); }

  template <class Response, class Request>
  Expected<Response> Call(const std::string& method, const Request& request) {
    return assay_.Call<Response>(author_, method, request);
  }
  v1::OpenReferenceResponse Open() {
    v1::OpenReferenceRequest request;
    request.set_name("assignments/orders");
    return Call<v1::OpenReferenceResponse>("AssignmentService/OpenReference",
                                           request)
        .value();
  }
  v1::GetReferenceResponse Get(int version = 0,
                               v1::Role role = v1::ROLE_REVIEWER) {
    v1::GetReferenceRequest request;
    request.set_name("assignments/orders");
    request.set_version(version);
    return assay_
        .Call<v1::GetReferenceResponse>(
            Installation::As(role), "AssignmentService/GetReference", request)
        .value();
  }
  Expected<v1::GradeReferenceResponse> Grade(const std::string& request_id) {
    v1::GradeReferenceRequest request;
    request.set_name("assignments/orders");
    request.set_request_id(request_id);
    return Call<v1::GradeReferenceResponse>("AssignmentService/GradeReference",
                                            request);
  }
  // The attempt as whoever reads the store by its id.
  rpc::Caller Itself() {
    const std::string name = Open().reference().attempt();
    return {.role = v1::ROLE_CANDIDATE,
            .attempt = AttemptId(name.substr(name.find('/') + 1))};
  }
  ConfirmedPush Push(char digit) { return assay_.Push(Itself(), digit); }
  storage::RunRecord RunOf(const RunId& id) {
    return assay_
        .Read([id](storage::Transaction& tx) { return tx.runs.Get(id); })
        .value();
  }
  // Ends whatever is queued.
  void EndAll(v1::Run::Outcome outcome) {
    while (true) {
      const auto taken = assay_.loop.Await(assay_.parts().queue->TakeNext(
          {runs::Room{.worker = WorkerId("w")}}, seconds(10)));
      ASSERT_THAT(taken, IsOk());
      if (!*taken) break;
      v1::Score score;
      score.set_max(60);
      const storage::RunRecord& run = **taken;
      ASSERT_THAT(assay_.Write([&](storage::Transaction& tx) {
        return tx.runs.Finish(run.id, run.epoch, assay_.clock.Now(), outcome,
                              "",
                              outcome == v1::Run::OUTCOME_ERRORED
                                  ? std::nullopt
                                  : std::optional<v1::Score>(score));
      }),
                  IsOk());
    }
  }
  void UpdateAssignment(const v1::AssignmentSpec& spec) {
    v1::UpdateAssignmentRequest request;
    request.set_name("assignments/orders");
    request.set_expected_version(++version_);
    *request.mutable_spec() = spec;
    ASSERT_THAT(Call<v1::UpdateAssignmentResponse>(
                    "AssignmentService/UpdateAssignment", request),
                IsOk());
  }

  int version_ = 0;
  rpc::Caller author_ = Installation::As(v1::ROLE_AUTHOR);
};

TEST_F(ReferenceServiceTest, ThereIsNoneUntilItIsOpenedAndOneThen) {
  EXPECT_FALSE(Get().has_reference());
  EXPECT_THAT(Grade("1"), FailsWith(Code::kFailedPrecondition,
                                    "assay assignment reference orders"));
  const auto first = Open();
  const auto again = Open();
  EXPECT_EQ(first.reference().attempt(), again.reference().attempt());
  EXPECT_NE(first.password(), again.password());
  EXPECT_EQ(assay_.repositories.repositories.size(), 1);
  const v1::Reference shown = Get().reference();
  EXPECT_EQ(shown.attempt(), first.reference().attempt());
  EXPECT_TRUE(first.reference().clone_url().ends_with(".git"));
  EXPECT_FALSE(shown.has_push());
  EXPECT_FALSE(shown.has_latest_run());
  EXPECT_THAT(Grade("1"),
              FailsWith(Code::kFailedPrecondition, "no solution was pushed"));
}

TEST_F(ReferenceServiceTest,
       APushIsGradedByEveryCheckAndCountsWhenItHasAScore) {
  const ConfirmedPush push = Push('a');
  EXPECT_EQ(RunOf(push.run).kind, v1::Run::KIND_REFERENCE);
  EXPECT_EQ(Get().reference().push().new_commit(), std::string(40, 'a'));
  EXPECT_EQ(Get().reference().latest_run().name(), "runs/" + push.run.str());
  EXPECT_FALSE(Get().reference().has_run()) << "it has no score yet";
  EndAll(v1::Run::OUTCOME_COMPLETED);
  EXPECT_EQ(Get().reference().run().name(), "runs/" + push.run.str());

  assay_.clock.Advance(seconds(1));
  const ConfirmedPush broken = Push('b');
  EndAll(v1::Run::OUTCOME_ERRORED);
  EXPECT_EQ(Get().reference().latest_run().name(), "runs/" + broken.run.str());
  EXPECT_EQ(Get().reference().run().name(), "runs/" + push.run.str())
      << "our own fault is nothing to compare with";
}

TEST_F(ReferenceServiceTest, ANewVersionHasNoReferenceUntilItIsGradedAgain) {
  const ConfirmedPush old = Push('a');
  EndAll(v1::Run::OUTCOME_COMPLETED);
  UpdateAssignment(Installation::SomeSpec());
  EXPECT_FALSE(Get().reference().has_run());
  EXPECT_EQ(Get(1).reference().run().name(), "runs/" + old.run.str());

  assay_.clock.Advance(seconds(1));
  const auto graded = Grade("1");
  ASSERT_THAT(graded, IsOk());
  EXPECT_EQ(graded->run().assignment_version(), 2);
  EXPECT_EQ(graded->run().commit(), std::string(40, 'a'));
  EXPECT_EQ(graded->run().kind(), v1::Run::KIND_REFERENCE);
  EXPECT_EQ(Grade("1")->run().name(), graded->run().name());
  EndAll(v1::Run::OUTCOME_COMPLETED);
  EXPECT_EQ(Get().reference().run().name(), graded->run().name());
  EXPECT_EQ(Get(1).reference().run().name(), "runs/" + old.run.str());

  assay_.clock.Advance(seconds(1));
  EXPECT_EQ(RunOf(Push('b').run).assignment_version, 2);
}

TEST_F(ReferenceServiceTest, OnlyTheNewestOfSeveralPushesIsGraded) {
  const ConfirmedPush first = Push('a');
  assay_.clock.Advance(seconds(1));
  const ConfirmedPush second = Push('b');
  EXPECT_EQ(RunOf(first.run).state, v1::Run::STATE_SUPERSEDED);
  EXPECT_EQ(RunOf(second.run).state, v1::Run::STATE_QUEUED);
}

TEST_F(ReferenceServiceTest, NoClockEndsItAndNoPolicyHoldsIt) {
  v1::AssignmentSpec spec = Installation::SomeSpec();
  spec.set_push_runs_per_hour(1);
  *spec.mutable_hard_close_time() = rpc::ToProto(assay_.clock.Now() + hours(2));
  UpdateAssignment(spec);
  Push('a');
  assay_.clock.Advance(hours(24 * 400));
  ASSERT_THAT(assay_.loop.Await(assay_.parts().deadlines->Sweep()), IsOk());
  for (const char digit : {'b', 'c'}) {
    PushIntent intent = assay_.Intent(Itself(), digit);
    intent.fast_forward = false;
    const auto recorded =
        assay_.loop.Await(assay_.parts().pushes->RecordPushIntent(intent));
    ASSERT_THAT(recorded, IsOk());
    EXPECT_EQ(recorded->refusal, "");
    EXPECT_FALSE(recorded->late);
    const auto push =
        assay_.loop.Await(assay_.parts().pushes->ConfirmPush(recorded->push));
    ASSERT_THAT(push, IsOk());
    EXPECT_FALSE(push->run.empty()) << push->notice;
  }
}

TEST_F(ReferenceServiceTest, ItIsInNoListAndNoCountOfCandidates) {
  Push('a');
  EndAll(v1::Run::OUTCOME_COMPLETED);
  assay_.clock.Advance(seconds(1));
  Push('b');
  EndAll(v1::Run::OUTCOME_ERRORED);

  EXPECT_EQ(Call<v1::ListAttemptsResponse>("AttemptService/ListAttempts",
                                           v1::ListAttemptsRequest())
                ->attempts_size(),
            0);
  v1::ListCandidatesRequest people;
  people.set_assignment("assignments/orders");
  EXPECT_EQ(
      Call<v1::ListCandidatesResponse>("OverviewService/ListCandidates", people)
          ->candidates_size(),
      0);
  const auto home =
      Call<v1::GetHomeResponse>("OverviewService/GetHome", v1::GetHomeRequest())
          .value();
  EXPECT_EQ(home.funnels(0).accepted(), 0);
  EXPECT_EQ(home.funnels(0).started(), 0);
  EXPECT_EQ(home.waiting_count(), 0);
  v1::GetStatisticsRequest statistics;
  statistics.set_assignment("assignments/orders");
  EXPECT_EQ(Call<v1::GetStatisticsResponse>("OverviewService/GetStatistics",
                                            statistics)
                ->scored(),
            0);
  v1::GetAssignmentRequest get;
  get.set_name("assignments/orders");
  EXPECT_EQ(
      Call<v1::GetAssignmentResponse>("AssignmentService/GetAssignment", get)
          ->assignment()
          .attempt_count(),
      0);
}

TEST_F(ReferenceServiceTest, WhatIsDoneToEverybodyIsNotDoneToIt) {
  Push('a');
  v1::PauseAttemptsRequest pause;
  pause.set_reason("fire drill");
  EXPECT_EQ(
      Call<v1::PauseAttemptsResponse>("AttemptService/PauseAttempts", pause)
          ->attempts_size(),
      0);
  assay_.clock.Advance(hours(1));
  v1::CreditOutageRequest credit;
  *credit.mutable_start_time() = rpc::ToProto(assay_.clock.Now() - hours(1));
  *credit.mutable_end_time() = rpc::ToProto(assay_.clock.Now());
  credit.set_reason("power cut");
  EXPECT_EQ(
      assay_
          .Call<v1::CreditOutageResponse>(Installation::Admin(),
                                          "AttemptService/CreditOutage", credit)
          ->credits_size(),
      0);
  UpdateAssignment(Installation::SomeSpec());
  v1::MoveAttemptsRequest move;
  move.set_name("assignments/orders");
  move.set_reason("fix");
  EXPECT_EQ(
      Call<v1::MoveAttemptsResponse>("AssignmentService/MoveAttempts", move)
          ->moves_size(),
      0);
}

TEST_F(ReferenceServiceTest, WhatJudgesSomebodyIsRefused) {
  const std::string name = Open().reference().attempt();
  v1::ExtendAttemptRequest extend;
  extend.set_name(name);
  extend.mutable_extension()->set_seconds(60);
  extend.set_reason("why not");
  EXPECT_THAT(
      Call<v1::ExtendAttemptResponse>("AttemptService/ExtendAttempt", extend),
      FailsWith(Code::kFailedPrecondition, "reference solution"));
  v1::CreateDecisionRequest decide;
  decide.set_attempt(name);
  decide.set_outcome(v1::Decision::OUTCOME_ADVANCE);
  decide.set_reason("it is ours");
  EXPECT_THAT(Call<v1::CreateDecisionResponse>("DecisionService/CreateDecision",
                                               decide),
              FailsWith(Code::kFailedPrecondition, "reference solution"));
  v1::EraseAttemptRequest erase;
  erase.set_name(name);
  erase.set_reason("why not");
  EXPECT_THAT(assay_.Call<v1::EraseAttemptResponse>(
                  Installation::Admin(), "AttemptService/EraseAttempt", erase),
              FailsWith(Code::kFailedPrecondition, "reference solution"));
  v1::MoveAttemptsRequest move;
  move.set_name("assignments/orders");
  move.add_attempts(name);
  move.set_reason("fix");
  EXPECT_THAT(
      Call<v1::MoveAttemptsResponse>("AssignmentService/MoveAttempts", move),
      FailsWith(Code::kFailedPrecondition, "reference solution"));
}

TEST_F(ReferenceServiceTest, ItIsNotThereForCandidates) {
  const ConfirmedPush push = Push('a');
  const rpc::Caller candidate = assay_.Begin();
  v1::GetAttemptRequest attempt;
  attempt.set_name(Open().reference().attempt());
  EXPECT_THAT(assay_.Call<v1::GetAttemptResponse>(
                  candidate, "AttemptService/GetAttempt", attempt),
              FailsWith(Code::kNotFound));
  v1::GetRunRequest run;
  run.set_name("runs/" + push.run.str());
  EXPECT_THAT(
      assay_.Call<v1::GetRunResponse>(candidate, "RunService/GetRun", run),
      FailsWith(Code::kNotFound));
  v1::GetAttemptResponse shown =
      Call<v1::GetAttemptResponse>("AttemptService/GetAttempt", attempt)
          .value();
  EXPECT_TRUE(shown.attempt().reference());
  EXPECT_FALSE(assay_.GetAttempt(candidate).reference());
}

// What it opens is git, whoever got hold of it.
TEST_F(ReferenceServiceTest, ThePasswordOpensNothingOfTheApi) {
  const std::string password = Open().password();
  EXPECT_THAT(assay_.loop.Await(
                  assay_.parts().identity->Authenticate("Bearer " + password)),
              FailsWith(Code::kUnauthenticated));
}

}  // namespace
}  // namespace assay::attempts
