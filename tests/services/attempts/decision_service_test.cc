#include "services/attempts/decision_service.h"

#include "assay/v1/decision_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

plan::v1::Plan RevealedAtDecision() {
  plan::v1::Plan plan = Installation::SomePlan();
  plan.mutable_checks(2)->set_reveal_at(plan::v1::Check::REVEAL_AT_DECISION);
  return plan;
}

class DecisionServiceTest : public testing::ServiceTest {
 protected:
  DecisionServiceTest() {
    assay_.MakeAssignment(Installation::SomeSpec(), RevealedAtDecision());
    candidate_ = assay_.Begin();
  }
  void Freeze() {
    assay_.clock.Advance(hours(2));
    ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  }
  Expected<v1::CreateDecisionResponse> Decide(v1::Decision::Outcome outcome,
                                              int expected = 0,
                                              bool release = false) {
    v1::CreateDecisionRequest request;
    request.set_attempt("attempts/" + candidate_.attempt.str());
    request.set_outcome(outcome);
    request.set_reason("internal words");
    request.set_feedback("well done");
    request.set_release_feedback(release);
    request.set_expected_number(expected);
    return assay_.Call<v1::CreateDecisionResponse>(
        Installation::As(v1::ROLE_AUTHOR), "DecisionService/CreateDecision",
        request);
  }
  v1::ListDecisionsResponse List(const rpc::Caller& caller) {
    v1::ListDecisionsRequest request;
    request.set_attempt("attempts/" + candidate_.attempt.str());
    return assay_
        .Call<v1::ListDecisionsResponse>(
            caller, "DecisionService/ListDecisions", request)
        .value();
  }

  rpc::Caller candidate_;
};

TEST_F(DecisionServiceTest, FollowsTheDeadlineAndTheDecisionBefore) {
  EXPECT_THAT(Decide(v1::Decision::OUTCOME_ADVANCE),
              FailsWith(Code::kFailedPrecondition, "not submitted"));
  Freeze();
  ASSERT_THAT(Decide(v1::Decision::OUTCOME_HOLD), IsOk());
  EXPECT_THAT(Decide(v1::Decision::OUTCOME_ADVANCE), FailsWith(Code::kAborted));
  ASSERT_THAT(Decide(v1::Decision::OUTCOME_ADVANCE, 1), IsOk());
  const auto decisions = List(Installation::As(v1::ROLE_REVIEWER));
  ASSERT_EQ(decisions.decisions_size(), 2);
  EXPECT_EQ(decisions.decisions(1).outcome(), v1::Decision::OUTCOME_ADVANCE);
  EXPECT_EQ(decisions.decisions(1).decider(), "ROLE_AUTHOR");
}

TEST_F(DecisionServiceTest, CandidatesSeeReleasedFeedbackAndNothingElse) {
  Freeze();
  ASSERT_THAT(Decide(v1::Decision::OUTCOME_REJECT), IsOk());
  EXPECT_EQ(List(candidate_).decisions_size(), 0);
  ASSERT_THAT(Decide(v1::Decision::OUTCOME_REJECT, 1, true), IsOk());
  const auto seen = List(candidate_);
  ASSERT_EQ(seen.decisions_size(), 1);
  EXPECT_EQ(seen.decisions(0).feedback(), "well done");
  EXPECT_EQ(seen.decisions(0).reason(), "");
  EXPECT_EQ(seen.decisions(0).decider(), "");
}

TEST_F(DecisionServiceTest, ADecisionRevealsAndAHoldDoesNot) {
  assay_.Push(candidate_, 'a');
  Freeze();
  const auto run = *assay_.loop
                        .Await(assay_.parts().queue->TakeNext(
                            {runs::Room{.worker = WorkerId("w")}}, seconds(10)))
                        .value();
  std::vector<v1::RunEvent> events(2);
  events[0].mutable_check_finished()->mutable_result()->set_check_id("never");
  events[0].mutable_check_finished()->mutable_result()->set_verdict(
      v1::VERDICT_PASSED);
  events[1].mutable_finished()->set_outcome(v1::Run::OUTCOME_COMPLETED);
  ASSERT_THAT(assay_.loop.Await(
                  assay_.parts().queue->Append(run, 1, std::move(events))),
              IsOk());
  const auto seen = [&] {
    return assay_.loop.Await(assay_.parts().reader->Get(candidate_, run.id))
        ->checks_size();
  };
  EXPECT_EQ(seen(), 0);
  ASSERT_THAT(Decide(v1::Decision::OUTCOME_HOLD), IsOk());
  EXPECT_EQ(seen(), 0);
  ASSERT_THAT(Decide(v1::Decision::OUTCOME_ADVANCE, 1), IsOk());
  EXPECT_EQ(seen(), 1);
}

}  // namespace
}  // namespace assay::attempts
