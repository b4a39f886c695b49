#include "services/attempts/question_service.h"

#include "assay/v1/question_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class QuestionServiceTest : public testing::ServiceTest {
 protected:
  QuestionServiceTest() {
    assay_.MakeAssignment();
    candidate_ = assay_.Begin();
  }
  Expected<v1::AskQuestionResponse> Ask(const rpc::Caller& candidate,
                                        const std::string& text) {
    v1::AskQuestionRequest request;
    request.set_attempt("attempts/me");
    request.set_text(text);
    return assay_.Call<v1::AskQuestionResponse>(
        candidate, "QuestionService/AskQuestion", request);
  }
  Expected<v1::AnswerQuestionResponse> Answer(const std::string& name,
                                              bool share = false) {
    v1::AnswerQuestionRequest request;
    request.set_name(name);
    request.set_answer("yes");
    request.set_share(share);
    return assay_.Call<v1::AnswerQuestionResponse>(
        author_, "QuestionService/AnswerQuestion", request);
  }
  Expected<v1::PauseForQuestionResponse> Pause(const std::string& name) {
    v1::PauseForQuestionRequest request;
    request.set_name(name);
    return assay_.Call<v1::PauseForQuestionResponse>(
        author_, "QuestionService/PauseForQuestion", request);
  }
  Expected<v1::ListQuestionsResponse> List(const rpc::Caller& caller,
                                           const std::string& attempt = "",
                                           const std::string& assignment = "") {
    v1::ListQuestionsRequest request;
    request.set_attempt(attempt);
    request.set_assignment(assignment);
    return assay_.Call<v1::ListQuestionsResponse>(
        caller, "QuestionService/ListQuestions", request);
  }

  rpc::Caller candidate_;
  rpc::Caller author_ = Installation::As(v1::ROLE_AUTHOR);
};

TEST_F(QuestionServiceTest, AuthorsAnswerWithoutSeeingWhoAsks) {
  const std::string name = Ask(candidate_, "UTC?")->question().name();
  const auto seen = List(author_, "", "assignments/orders");
  ASSERT_EQ(seen->questions_size(), 1);
  EXPECT_EQ(seen->questions(0).text(), "UTC?");
  EXPECT_EQ(seen->ShortDebugString().find(candidate_.attempt.str()),
            std::string::npos);
  EXPECT_THAT(List(author_, "attempts/" + candidate_.attempt.str()),
              FailsWith(Code::kPermissionDenied, "without seeing"));
  ASSERT_THAT(Answer(name), IsOk());
  EXPECT_EQ(List(candidate_)->questions(0).answer(), "yes");
  EXPECT_THAT(Answer(name), FailsWith(Code::kFailedPrecondition));
}

TEST_F(QuestionServiceTest, OnlySharedAnswersReachTheOthers) {
  const rpc::Caller other = assay_.Begin();
  const std::string mine = Ask(candidate_, "mine")->question().name();
  assay_.clock.Advance(minutes(1));
  const std::string shared = Ask(candidate_, "shared")->question().name();
  ASSERT_THAT(Answer(mine), IsOk());
  ASSERT_THAT(Answer(shared, true), IsOk());
  const auto seen = List(other);
  ASSERT_EQ(seen->questions_size(), 1);
  EXPECT_EQ(seen->questions(0).text(), "shared");
  EXPECT_EQ(seen->questions(0).attempt(), "");
  EXPECT_EQ(List(candidate_)->questions_size(), 2);
  EXPECT_THAT(List(other, "attempts/" + candidate_.attempt.str()),
              FailsWith(Code::kNotFound));
}

TEST_F(QuestionServiceTest, TheClockStandsWhileAQuestionWaits) {
  const std::string name = Ask(candidate_, "which port?")->question().name();
  ASSERT_THAT(Pause(name), IsOk());
  ASSERT_THAT(Pause(name), IsOk());
  EXPECT_TRUE(assay_.GetAttempt(candidate_).clock().has_pause_time());
  assay_.clock.Advance(hours(4));
  EXPECT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 0);
  ASSERT_THAT(Answer(name), IsOk());
  const auto clock = assay_.GetAttempt(candidate_).clock();
  EXPECT_FALSE(clock.has_pause_time());
  EXPECT_EQ(clock.paused().seconds(), 4 * 3'600);
}

TEST_F(QuestionServiceTest, QuestionsHaveBounds) {
  EXPECT_THAT(Ask(candidate_, ""), FailsWith(Code::kInvalidArgument));
  EXPECT_THAT(Ask(candidate_, std::string(10'001, 'x')),
              FailsWith(Code::kInvalidArgument));
  for (int i = 0; i < QuestionService::kMaxWaiting; ++i)
    ASSERT_THAT(Ask(candidate_, "x"), IsOk());
  EXPECT_THAT(Ask(candidate_, "x"), FailsWith(Code::kResourceExhausted));
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  EXPECT_THAT(Ask(candidate_, "x"),
              FailsWith(Code::kFailedPrecondition, "over"));
}

}  // namespace
}  // namespace assay::attempts
