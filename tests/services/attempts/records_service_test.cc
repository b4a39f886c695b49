#include "services/attempts/records_service.h"

#include "assay/v1/attempt_service.pb.h"
#include "assay/v1/question_service.pb.h"
#include "services/rpc/proto_time.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class RecordsServiceTest : public testing::ServiceTest {
 protected:
  RecordsServiceTest() {
    v1::AssignmentSpec spec = Installation::SomeSpec();
    *spec.mutable_retention() =
        rpc::ToProto(std::chrono::microseconds(days(30)));
    assay_.MakeAssignment(spec);
    candidate_ = assay_.Begin();
    assay_.clock.Advance(minutes(1));
    assay_.Push(candidate_, 'a');
    assay_.clock.Advance(minutes(1));
    v1::AskQuestionRequest ask;
    ask.set_attempt("attempts/me");
    ask.set_text("I, Ada, ask");
    EXPECT_THAT(assay_.Call<v1::AskQuestionResponse>(
                    candidate_, "QuestionService/AskQuestion", ask),
                IsOk());
  }
  void Freeze() {
    assay_.clock.Advance(hours(2));
    ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  }
  v1::ExportAttemptResponse Export() {
    v1::ExportAttemptRequest request;
    request.set_name("attempts/" + candidate_.attempt.str());
    return assay_
        .Call<v1::ExportAttemptResponse>(
            Installation::Admin(), "AttemptService/ExportAttempt", request)
        .value();
  }
  Expected<v1::EraseAttemptResponse> Erase() {
    v1::EraseAttemptRequest request;
    request.set_name("attempts/" + candidate_.attempt.str());
    request.set_reason("the candidate asked");
    return assay_.Call<v1::EraseAttemptResponse>(
        Installation::Admin(), "AttemptService/EraseAttempt", request);
  }
  Expected<v1::GetTimelineResponse> Timeline(const rpc::Caller& caller) {
    v1::GetTimelineRequest request;
    request.set_attempt("attempts/" + candidate_.attempt.str());
    return assay_.Call<v1::GetTimelineResponse>(
        caller, "AttemptService/GetTimeline", request);
  }

  rpc::Caller candidate_;
};

TEST_F(RecordsServiceTest, TheTimelineTellsEverythingInOrder) {
  Freeze();
  const auto timeline = Timeline(candidate_);
  ASSERT_THAT(timeline, IsOk());
  std::vector<int> kinds;
  for (const auto& entry : timeline->entries()) kinds.push_back(entry.kind());
  using Entry = v1::TimelineEntry;
  EXPECT_THAT(kinds, ::testing::ElementsAre(
                         Entry::KIND_CLOCK, Entry::KIND_CLOCK, Entry::KIND_PUSH,
                         Entry::KIND_QUESTION, Entry::KIND_SUBMISSION));
  EXPECT_THAT(Timeline(assay_.Begin()), FailsWith(Code::kNotFound));
}

TEST_F(RecordsServiceTest, AnExportHoldsEverythingAboutTheCandidate) {
  Freeze();
  const auto all = Export();
  EXPECT_EQ(all.attempt().candidate_name(), "Ada Lovelace");
  EXPECT_EQ(all.pushes_size(), 1);
  EXPECT_EQ(all.submissions_size(), 1);
  EXPECT_EQ(all.runs_size(), 2);
  EXPECT_EQ(all.questions_size(), 1);
  EXPECT_EQ(all.timeline_size(), 5);
}

TEST_F(RecordsServiceTest, ErasureTakesThePersonAndKeepsTheRecord) {
  EXPECT_THAT(Erase(), FailsWith(Code::kFailedPrecondition, "runs"));
  Freeze();
  ASSERT_THAT(Erase(), IsOk());
  EXPECT_THAT(Erase(), IsOk());
  const auto all = Export();
  EXPECT_TRUE(all.attempt().has_erase_time());
  EXPECT_EQ(all.ShortDebugString().find("Ada"), std::string::npos);
  EXPECT_EQ(all.ShortDebugString().find("ada@"), std::string::npos);
  EXPECT_EQ(all.submissions_size(), 1) << "what was graded stays";
  EXPECT_EQ(all.questions_size(), 0);
  EXPECT_TRUE(assay_.repositories.repositories.empty());
  const auto audit = assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); });
  EXPECT_EQ(audit->back().action, "attempt.erase");
  // The next start finds nothing to repair, and the candidate no way in.
  assay_.Restart();
  assay_.repositories.submission_refs.clear();
  ASSERT_THAT(assay_.loop.Await(assay_.parts().refs->RepairAll()), IsOk());
  EXPECT_TRUE(assay_.repositories.submission_refs.empty());
}

TEST_F(RecordsServiceTest, AnErasureThatWasCutOffIsRepeatedWhole) {
  Freeze();
  assay_.repositories.failure = Error{Code::kUnavailable, "I/O error"};
  EXPECT_THAT(Erase(), FailsWith(Code::kUnavailable));
  EXPECT_EQ(Export().attempt().candidate_name(), "Ada Lovelace");
  EXPECT_THAT(Erase(), IsOk());
}

TEST_F(RecordsServiceTest, RetentionErasesByItself) {
  const auto sweep = [&] {
    return assay_.loop.Await(assay_.parts().records_service->EraseExpired());
  };
  EXPECT_EQ(sweep(), 0);
  Freeze();
  assay_.clock.Advance(days(29));
  EXPECT_EQ(sweep(), 0);
  assay_.clock.Advance(days(1));
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(sweep(), 0);
  EXPECT_TRUE(Export().attempt().has_erase_time());
}

}  // namespace
}  // namespace assay::attempts
