#include "services/submissions/submission_service.h"

#include <vector>

#include "assay/v1/submission_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::submissions {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class SubmissionServiceTest : public testing::ServiceTest {
 protected:
  SubmissionServiceTest() { assay_.MakeAssignment(); }

  Expected<v1::CreateSubmissionResponse> Submit(const rpc::Caller& candidate,
                                                const std::string& commit = "",
                                                const std::string& id = "") {
    v1::CreateSubmissionRequest request;
    request.set_attempt("attempts/me");
    request.set_commit(commit);
    request.set_request_id(id);
    return assay_.Call<v1::CreateSubmissionResponse>(
        candidate, "SubmissionService/CreateSubmission", request);
  }
  v1::ListSubmissionsResponse List(const rpc::Caller& candidate) {
    v1::ListSubmissionsRequest request;
    request.set_attempt("attempts/me");
    return assay_
        .Call<v1::ListSubmissionsResponse>(
            candidate, "SubmissionService/ListSubmissions", request)
        .value();
  }
};

TEST_F(SubmissionServiceTest, HandsInTheLastPushAndQueuesItsFinalRun) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(minutes(1));
  assay_.Push(candidate, 'b');
  const auto made = Submit(candidate);
  ASSERT_THAT(made, IsOk());
  const v1::Submission& submission = made->submission();
  EXPECT_EQ(submission.commit(), std::string(40, 'b'));
  EXPECT_EQ(submission.cause(), v1::Submission::CAUSE_CANDIDATE);
  EXPECT_EQ(submission.name(),
            "attempts/" + candidate.attempt.str() + "/submissions/1");
  const auto run = assay_.Read([&](storage::Transaction& tx) {
    return tx.runs.Get(RunId(submission.run().substr(5)));
  });
  EXPECT_EQ(run->kind, v1::Run::KIND_FINAL);
  EXPECT_EQ(run->submission, 1);
  EXPECT_EQ((assay_.repositories
                 .submission_refs[{assay_.RepositoryOf(candidate), 1}]),
            std::string(40, 'b'));
}

TEST_F(SubmissionServiceTest, EachRunSaysWhatItWasMadeOf) {
  const rpc::Caller candidate = assay_.Begin();
  const auto push = assay_.Push(candidate, 'a');
  const auto made = Submit(candidate);
  ASSERT_THAT(made, IsOk());
  std::vector<storage::RunRecord> runs;
  for (const RunId& id :
       {push.run, RunId(made->submission().run().substr(5))}) {
    const auto run =
        assay_.Read([&](storage::Transaction& tx) { return tx.runs.Get(id); });
    ASSERT_THAT(run, IsOk());
    EXPECT_EQ(run->commit, std::string(40, 'a'));
    EXPECT_EQ(run->push, push.push);
    EXPECT_EQ(run->attempt, candidate.attempt);
    EXPECT_EQ(run->assignment_version, 1);
    const auto assignment = assay_.Read([&](storage::Transaction& tx) {
      return tx.assignments.Get(run->assignment, run->assignment_version);
    });
    EXPECT_EQ(run->plan_digest, assignment->plan_digest);
    EXPECT_NE(run->plan_digest, "");
    EXPECT_EQ(run->trace_id.size(), 32);
    runs.push_back(*run);
  }
  EXPECT_NE(runs[0].seed, runs[1].seed);
  EXPECT_NE(runs[0].trace_id, runs[1].trace_id);
}

TEST_F(SubmissionServiceTest, AnEarlierPushCanBeHandedIn) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(minutes(1));
  assay_.Push(candidate, 'b');
  EXPECT_EQ(Submit(candidate, std::string(40, 'a'))->submission().commit(),
            std::string(40, 'a'));
  EXPECT_THAT(Submit(candidate, std::string(40, 'c')),
              FailsWith(Code::kFailedPrecondition, "never pushed"));
}

TEST_F(SubmissionServiceTest, ManyTimesUntilTheCutOffAndThenNoMore) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  ASSERT_THAT(Submit(candidate), IsOk());
  assay_.clock.Advance(hours(1));
  ASSERT_THAT(Submit(candidate), IsOk()) << "the cut-off itself is in time";
  EXPECT_EQ(List(candidate).submissions_size(), 2);
  assay_.clock.Advance(std::chrono::microseconds(1));
  EXPECT_THAT(Submit(candidate), FailsWith(Code::kFailedPrecondition, "passed"))
      << "whether or not the sweep has come by";
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  EXPECT_THAT(Submit(candidate),
              FailsWith(Code::kFailedPrecondition, "passed"));
}

TEST_F(SubmissionServiceTest, SaysWhatIsMissing) {
  EXPECT_THAT(Submit(assay_.Accept()),
              FailsWith(Code::kFailedPrecondition, "not started"));
  EXPECT_THAT(Submit(assay_.Begin()),
              FailsWith(Code::kFailedPrecondition, "nothing was pushed"));
}

TEST_F(SubmissionServiceTest, ARepeatedRequestHandsInOnce) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  const auto first = Submit(candidate, "", "r1");
  assay_.clock.Advance(minutes(1));
  EXPECT_EQ(Submit(candidate, "", "r1")->submission().ShortDebugString(),
            first->submission().ShortDebugString());
  EXPECT_EQ(List(candidate).submissions_size(), 1);
}

TEST_F(SubmissionServiceTest, AnothersAttemptIsNotThere) {
  const rpc::Caller candidate = assay_.Begin();
  const rpc::Caller other = assay_.Begin();
  v1::CreateSubmissionRequest create;
  create.set_attempt("attempts/" + other.attempt.str());
  EXPECT_THAT(assay_.Call<v1::CreateSubmissionResponse>(
                  candidate, "SubmissionService/CreateSubmission", create),
              FailsWith(Code::kNotFound));
  v1::ListSubmissionsRequest list;
  list.set_attempt("attempts/" + other.attempt.str());
  EXPECT_THAT(assay_.Call<v1::ListSubmissionsResponse>(
                  candidate, "SubmissionService/ListSubmissions", list),
              FailsWith(Code::kNotFound));
}

TEST_F(SubmissionServiceTest, ThereIsABoundOnFinalRuns) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  for (int i = 0; i < SubmissionService::kMaxSubmissions; ++i)
    ASSERT_THAT(Submit(candidate), IsOk());
  EXPECT_THAT(Submit(candidate), FailsWith(Code::kResourceExhausted));
}

}  // namespace
}  // namespace assay::submissions
