#include "services/overview/overview_service.h"

#include <gmock/gmock.h>

#include "assay/v1/attempt_service.pb.h"
#include "assay/v1/decision_service.pb.h"
#include "assay/v1/invitation_service.pb.h"
#include "assay/v1/question_service.pb.h"
#include "assay/v1/submission_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::overview {
namespace {

using testing::FailsWith;
using testing::Installation;
using testing::IsOk;
using Waiting = v1::GetHomeResponse::Waiting;

class OverviewServiceTest : public testing::ServiceTest {
 protected:
  OverviewServiceTest() { assay_.MakeAssignment(); }

  v1::GetHomeResponse Home(v1::Role role = v1::ROLE_ADMIN) {
    return assay_
        .Call<v1::GetHomeResponse>(Installation::As(role),
                                   "OverviewService/GetHome",
                                   v1::GetHomeRequest())
        .value();
  }
  Expected<v1::ListCandidatesResponse> Candidates(
      v1::Role role = v1::ROLE_ADMIN, int page_size = 0,
      const std::string& token = "") {
    v1::ListCandidatesRequest request;
    request.set_assignment("assignments/orders");
    request.set_page_size(page_size);
    request.set_page_token(token);
    return assay_.Call<v1::ListCandidatesResponse>(
        Installation::As(role), "OverviewService/ListCandidates", request);
  }
  v1::GetStatisticsResponse Statistics() {
    v1::GetStatisticsRequest request;
    request.set_assignment("assignments/orders");
    return assay_
        .Call<v1::GetStatisticsResponse>(
            Installation::Admin(), "OverviewService/GetStatistics", request)
        .value();
  }

  void Invite() {
    v1::CreateInvitationRequest request;
    request.set_assignment("assignments/orders");
    request.set_candidate_name("Grace");
    request.set_candidate_email("grace@example.org");
    ASSERT_THAT(assay_.Call<v1::CreateInvitationResponse>(
                    Installation::Admin(), "InvitationService/CreateInvitation",
                    request),
                IsOk());
  }
  // Lets the deadline pass, and grades what was submitted.
  void GradeAll(v1::Run::Outcome outcome, double earned) {
    assay_.clock.Advance(std::chrono::hours(2));
    ASSERT_THAT(assay_.loop.Await(assay_.parts().deadlines->Sweep()), IsOk());
    while (true) {
      const auto taken = assay_.loop.Await(assay_.parts().queue->TakeNext(
          {runs::Room{.worker = WorkerId("w")}}, std::chrono::seconds(10)));
      ASSERT_THAT(taken, IsOk());
      if (!*taken) break;
      assay_.clock.Advance(std::chrono::seconds(8));
      v1::Score score;
      score.set_earned(earned);
      score.set_max(60);
      const storage::RunRecord& run = **taken;
      ASSERT_THAT(assay_.Write([&](storage::Transaction& tx) {
        return tx.runs.Finish(run.id, run.epoch, assay_.clock.Now(), outcome,
                              "",
                              outcome == v1::Run::OUTCOME_COMPLETED
                                  ? std::optional<v1::Score>(score)
                                  : std::nullopt);
      }),
                  IsOk());
    }
  }
  void Decide(const std::string& attempt, v1::Decision::Outcome outcome) {
    v1::CreateDecisionRequest request;
    request.set_attempt(attempt);
    request.set_outcome(outcome);
    request.set_reason("it was good");
    ASSERT_THAT(
        assay_.Call<v1::CreateDecisionResponse>(
            Installation::Admin(), "DecisionService/CreateDecision", request),
        IsOk());
  }
};

TEST_F(OverviewServiceTest, TheFunnelCountsHowFarEverybodyCame) {
  Invite();
  assay_.Accept();
  const auto ada = assay_.Begin();
  assay_.Push(ada, 'a');
  const auto bob = assay_.Begin();
  assay_.Push(bob, 'b');
  GradeAll(v1::Run::OUTCOME_COMPLETED, 30);
  Decide(assay_.GetAttempt(ada).name(), v1::Decision::OUTCOME_ADVANCE);
  Decide(assay_.GetAttempt(bob).name(), v1::Decision::OUTCOME_HOLD);
  const auto home = Home(v1::ROLE_OBSERVER);
  ASSERT_EQ(home.funnels_size(), 1);
  EXPECT_EQ(home.funnels(0).invited(), 4);
  EXPECT_EQ(home.funnels(0).accepted(), 3);
  EXPECT_EQ(home.funnels(0).started(), 2);
  EXPECT_EQ(home.funnels(0).submitted(), 2);
  EXPECT_EQ(home.funnels(0).decided(), 1);
}

TEST_F(OverviewServiceTest, WhoHandsInBeforeTheDeadlineIsCountedAtOnce) {
  const auto ada = assay_.Begin();
  assay_.Push(ada, 'a');
  EXPECT_EQ(Home().funnels(0).submitted(), 0);
  v1::CreateSubmissionRequest request;
  request.set_attempt("attempts/me");
  ASSERT_THAT(assay_.Call<v1::CreateSubmissionResponse>(
                  ada, "SubmissionService/CreateSubmission", request),
              IsOk());
  EXPECT_EQ(Home().funnels(0).submitted(), 1);
}

TEST_F(OverviewServiceTest, WhatWaitsForAPersonIsListedLongestFirst) {
  const auto ada = assay_.Begin();
  v1::AskQuestionRequest ask;
  ask.set_attempt("attempts/me");
  ask.set_text("May I?");
  ASSERT_THAT(assay_.Call<v1::AskQuestionResponse>(
                  ada, "QuestionService/AskQuestion", ask),
              IsOk());
  assay_.clock.Advance(std::chrono::minutes(1));
  const auto bob = assay_.Begin();
  v1::PauseAttemptRequest pause;
  pause.set_name(assay_.GetAttempt(bob).name());
  pause.set_reason("fire drill");
  ASSERT_THAT(assay_.Call<v1::PauseAttemptResponse>(
                  Installation::Admin(), "AttemptService/PauseAttempt", pause),
              IsOk());
  assay_.Push(ada, 'a');
  GradeAll(v1::Run::OUTCOME_ERRORED, 0);
  const auto home = Home();
  std::vector<int> kinds;
  for (const auto& one : home.waiting()) kinds.push_back(one.kind());
  EXPECT_THAT(kinds, ::testing::ElementsAre(
                         Waiting::KIND_QUESTION, Waiting::KIND_PAUSED_CLOCK,
                         Waiting::KIND_DECISION, Waiting::KIND_ERRORED_RUN));
  EXPECT_EQ(home.waiting_count(), 4);
  EXPECT_EQ(home.waiting(0).attempt(), assay_.GetAttempt(ada).name());
  EXPECT_TRUE(home.waiting(3).run().starts_with("runs/"));
  const auto observed = Home(v1::ROLE_OBSERVER);
  EXPECT_EQ(observed.waiting_size(), 0);
  EXPECT_EQ(observed.waiting_count(), 4);
}

TEST_F(OverviewServiceTest, ADecisionEndsTheWaitAndHoldDoesNot) {
  const auto ada = assay_.Begin();
  assay_.Push(ada, 'a');
  GradeAll(v1::Run::OUTCOME_COMPLETED, 30);
  const std::string name = assay_.GetAttempt(ada).name();
  EXPECT_EQ(Home().waiting_count(), 1);
  Decide(name, v1::Decision::OUTCOME_HOLD);
  EXPECT_EQ(Home().waiting_count(), 1);
}

TEST_F(OverviewServiceTest, ADeadlineWithoutAPushSubmitsNothing) {
  const auto ada = assay_.Begin();
  assay_.Push(ada, 'a');
  const auto bob = assay_.Begin();
  GradeAll(v1::Run::OUTCOME_COMPLETED, 30);
  auto home = Home();
  EXPECT_EQ(home.funnels(0).started(), 2);
  EXPECT_EQ(home.funnels(0).submitted(), 1);
  std::map<std::string, int> waiting;
  for (const auto& one : home.waiting()) waiting[one.attempt()] = one.kind();
  EXPECT_EQ(waiting[assay_.GetAttempt(ada).name()], Waiting::KIND_DECISION);
  const std::string empty = assay_.GetAttempt(bob).name();
  EXPECT_EQ(waiting[empty], Waiting::KIND_NOTHING_SUBMITTED);
  for (const auto& one : Candidates()->candidates()) {
    const bool nothing = one.attempt() == empty;
    EXPECT_EQ(one.state(), nothing ? v1::Candidate::STATE_NOTHING_SUBMITTED
                                   : v1::Candidate::STATE_SUBMITTED);
    EXPECT_EQ(one.submission_count(), nothing ? 0 : 1);
    EXPECT_EQ(one.has_submit_time(), !nothing);
  }
  EXPECT_EQ(Statistics().decisions().open(), 1);
  Decide(empty, v1::Decision::OUTCOME_REJECT);
  home = Home();
  EXPECT_EQ(home.waiting_count(), 1) << "somebody looked at it";
  EXPECT_EQ(home.funnels(0).decided(), 0) << "of those who submitted";
}

TEST_F(OverviewServiceTest, TheQueueSaysWhoComesWhen) {
  const auto first = assay_.Begin();
  assay_.Push(first, 'a');
  EXPECT_FALSE(Home().queue(0).has_expected_start_time())
      << "nothing to judge by yet";
  const auto taken = assay_.loop.Await(assay_.parts().queue->TakeNext(
      {runs::Room{.worker = WorkerId("w")}}, std::chrono::seconds(10)));
  assay_.clock.Advance(std::chrono::seconds(8));
  ASSERT_THAT(assay_.Write([&](storage::Transaction& tx) {
    const storage::RunRecord& run = **taken;
    return tx.runs.Finish(run.id, run.epoch, assay_.clock.Now(),
                          v1::Run::OUTCOME_COMPLETED, "", {});
  }),
              IsOk());
  for (const char digit : {'b', 'c', 'd'}) assay_.Push(assay_.Begin(), digit);
  const auto home = Home();
  ASSERT_EQ(home.queue_size(), 3);
  EXPECT_EQ(home.queued_count(), 3);
  EXPECT_EQ(home.usual_run_duration().seconds(), 8);
  // Two slots: two start when those at work are half done, the third after.
  std::vector<std::int64_t> waits;
  for (const auto& run : home.queue())
    waits.push_back(run.expected_start_time().seconds() -
                    home.server_time().seconds());
  EXPECT_THAT(waits, ::testing::ElementsAre(4, 4, 12));
  EXPECT_EQ(Home(v1::ROLE_OBSERVER).queue(0).run(), "");
}

TEST_F(OverviewServiceTest, TheQueueSaysWhatNoWorkerOffers) {
  assay_.Push(assay_.Begin(), 'a');
  assay_.workers.offers = {{.pool = "gpu"}};
  EXPECT_THAT(Home().queue(0).waits_for(), ::testing::HasSubstr("names none"));
  EXPECT_FALSE(Home().queue(0).has_expected_start_time());
  assay_.workers = {};
  EXPECT_THAT(Home().queue(0).waits_for(),
              ::testing::HasSubstr("no worker gets runs"));
}

TEST_F(OverviewServiceTest, CandidatesAreShownWithScoreAndState) {
  Invite();
  const auto ada = assay_.Begin();
  assay_.Push(ada, 'a');
  GradeAll(v1::Run::OUTCOME_COMPLETED, 45);
  const auto list = Candidates();
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->candidates_size(), 2);
  std::map<std::string, v1::Candidate> by_name;
  for (const auto& one : list->candidates())
    by_name[one.candidate_name()] = one;
  const v1::Candidate& done = by_name.at("Ada Lovelace");
  EXPECT_EQ(done.state(), v1::Candidate::STATE_SUBMITTED);
  EXPECT_EQ(done.earned_points(), 45);
  EXPECT_EQ(done.max_points(), 60);
  EXPECT_EQ(done.push_count(), 1);
  EXPECT_EQ(done.submission_count(), 1);
  EXPECT_TRUE(done.has_submit_time());
  EXPECT_EQ(by_name.at("Grace").state(), v1::Candidate::STATE_INVITED);
  EXPECT_FALSE(by_name.at("Grace").has_earned_points());
  assay_.clock.Advance(std::chrono::hours(24 * 365));
  for (const auto& one : Candidates()->candidates())
    if (one.candidate_name() == "Grace") {
      EXPECT_EQ(one.state(), v1::Candidate::STATE_EXPIRED);
    }
}

TEST_F(OverviewServiceTest, ReviewersLearnNoNames) {
  assay_.Begin();
  const auto list = Candidates(v1::ROLE_REVIEWER);
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->candidates_size(), 1);
  EXPECT_EQ(list->candidates(0).candidate_name(), "");
  EXPECT_EQ(list->candidates(0).candidate_email(), "");
  EXPECT_NE(list->candidates(0).attempt(), "");
}

TEST_F(OverviewServiceTest, PagesMissNobodyAndRepeatNobody) {
  for (int i = 0; i < 5; ++i) Invite();
  std::set<std::string> seen;
  std::string token;
  do {
    const auto page = Candidates(v1::ROLE_AUTHOR, 2, token);
    ASSERT_THAT(page, IsOk());
    for (const auto& one : page->candidates())
      EXPECT_TRUE(seen.insert(one.invitation()).second);
    token = page->next_page_token();
  } while (!token.empty());
  EXPECT_EQ(seen.size(), 5);
}

TEST_F(OverviewServiceTest, StatisticsCountTheLastScoredRunOfEach) {
  assay_.Push(assay_.Begin(), 'a');
  assay_.Push(assay_.Begin(), 'b');
  GradeAll(v1::Run::OUTCOME_COMPLETED, 30);
  const auto statistics = Statistics();
  EXPECT_EQ(statistics.scored(), 2);
  EXPECT_EQ(statistics.mean_percent(), 50);
  EXPECT_EQ(statistics.scores(5).count(), 2);
  EXPECT_EQ(statistics.decisions().open(), 2);
}

TEST_F(OverviewServiceTest, AnUnknownAssignmentIsNotFound) {
  v1::GetStatisticsRequest request;
  request.set_assignment("assignments/none");
  EXPECT_THAT(
      assay_.Call<v1::GetStatisticsResponse>(
          Installation::Admin(), "OverviewService/GetStatistics", request),
      FailsWith(Code::kNotFound));
}

}  // namespace
}  // namespace assay::overview
