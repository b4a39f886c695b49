// Invariant 4: a deadline fires once, at what the rows say, whatever happens
// to the process and its clock.

#include "services/deadlines/deadlines.h"

#include <algorithm>

#include "assay/v1/submission_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::deadlines {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

class DeadlinesTest : public testing::ServiceTest {
 protected:
  DeadlinesTest() { assay_.MakeAssignment(); }

  Expected<int> Sweep() {
    return assay_.loop.Await(assay_.parts().deadlines->Sweep());
  }
  std::vector<storage::SubmissionRecord> Submissions(
      const rpc::Caller& candidate) {
    return assay_
        .Read([id = candidate.attempt](storage::Transaction& tx) {
          return tx.submissions.List(id);
        })
        .value();
  }
  std::vector<storage::RunRecord> FinalRuns() {
    auto runs = assay_
                    .Read([](storage::Transaction& tx) {
                      return tx.runs.List({}, {500, ""});
                    })
                    ->items;
    std::erase_if(runs, [](const storage::RunRecord& run) {
      return run.kind != v1::Run::KIND_FINAL;
    });
    return runs;
  }
};

TEST_F(DeadlinesTest, HandsInTheLastPushWithItsFinalRun) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(minutes(10));
  assay_.Push(candidate, 'b');
  assay_.clock.Advance(minutes(50));
  EXPECT_EQ(Sweep(), 0) << "the cut-off itself is still in time";
  const auto cut_off = assay_.clock.Now();
  assay_.clock.Advance(microseconds(1));
  EXPECT_EQ(Sweep(), 1);

  const auto submissions = Submissions(candidate);
  ASSERT_EQ(submissions.size(), 1);
  EXPECT_EQ(submissions[0].commit, std::string(40, 'b'));
  EXPECT_EQ(submissions[0].cause, v1::Submission::CAUSE_DEADLINE);
  EXPECT_EQ(submissions[0].submit_time, cut_off);
  const auto runs = FinalRuns();
  ASSERT_EQ(runs.size(), 1);
  EXPECT_EQ(runs[0].id, submissions[0].run);
  EXPECT_EQ(runs[0].submission, 1);
  EXPECT_EQ(assay_.GetAttempt(candidate).state(), v1::Attempt::STATE_SUBMITTED);
  EXPECT_EQ((assay_.repositories
                 .submission_refs[{assay_.RepositoryOf(candidate), 1}]),
            std::string(40, 'b'));
}

TEST_F(DeadlinesTest, FiresOnceAlsoAcrossARestart) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Sweep(), 1);
  EXPECT_EQ(Sweep(), 0);
  assay_.Restart();
  EXPECT_EQ(Sweep(), 0);
  EXPECT_EQ(Submissions(candidate).size(), 1);
  EXPECT_EQ(FinalRuns().size(), 1);
  const auto audit = assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); });
  EXPECT_EQ(std::ranges::count(*audit, "attempt.deadline",
                               &storage::AuditRecord::action),
            1);
}

TEST_F(DeadlinesTest, TwoSweepsAtOnceFreezeOnce) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(hours(2));
  int frozen = 0;
  int done = 0;
  auto sweep = [](Deadlines* deadlines, int* count,
                  int* ended) -> boost::asio::awaitable<void> {
    *count += (co_await deadlines->Sweep()).value();
    ++*ended;
  };
  for (int i = 0; i < 4; ++i)
    assay_.loop.Spawn(sweep(assay_.parts().deadlines.get(), &frozen, &done));
  assay_.loop.RunUntil([&] { return done == 4; });
  EXPECT_EQ(frozen, 1);
  EXPECT_EQ(Submissions(candidate).size(), 1);
}

TEST_F(DeadlinesTest, DowntimeOverADeadlineChangesNothingAboutIt) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  const auto cut_off = assay_.clock.Now() + hours(1);
  assay_.clock.Advance(hours(48));
  assay_.Restart();
  EXPECT_EQ(Sweep(), 1);
  EXPECT_EQ(Submissions(candidate)[0].submit_time, cut_off);
}

TEST_F(DeadlinesTest, AClockThatJumpsBackAndForthFreezesOnce) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Sweep(), 1);
  assay_.clock.Advance(-hours(3));
  EXPECT_EQ(Sweep(), 0);
  assay_.clock.Advance(hours(9));
  EXPECT_EQ(Sweep(), 0);
  EXPECT_EQ(Submissions(candidate).size(), 1);
}

TEST_F(DeadlinesTest, WhoNeverPushedHandsInNothingAndNeedsNoRun) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Sweep(), 1);
  const auto submissions = Submissions(candidate);
  ASSERT_EQ(submissions.size(), 1);
  EXPECT_EQ(submissions[0].commit, "");
  EXPECT_TRUE(submissions[0].run.empty());
  EXPECT_TRUE(FinalRuns().empty());
}

TEST_F(DeadlinesTest, WhatTheCandidateHandedInCounts) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  v1::CreateSubmissionRequest request;
  request.set_attempt("attempts/me");
  ASSERT_THAT(assay_.Call<v1::CreateSubmissionResponse>(
                  candidate, "SubmissionService/CreateSubmission", request),
              IsOk());
  assay_.clock.Advance(minutes(1));
  assay_.Push(candidate, 'b');
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Sweep(), 1);
  ASSERT_EQ(Submissions(candidate).size(), 1);
  EXPECT_EQ(Submissions(candidate)[0].commit, std::string(40, 'a'));
}

TEST_F(DeadlinesTest, AcceptedAttemptsHaveNoDeadline) {
  assay_.Accept();
  assay_.clock.Advance(hours(1'000));
  EXPECT_EQ(Sweep(), 0);
}

TEST_F(DeadlinesTest, ManyAttemptsOfOneDeadlineAreAllFrozen) {
  std::vector<rpc::Caller> candidates;
  for (int i = 0; i < 150; ++i) candidates.push_back(assay_.Begin());
  for (const rpc::Caller& candidate : candidates) assay_.Push(candidate, 'c');
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Sweep(), 150);
  EXPECT_EQ(FinalRuns().size(), 150);
  EXPECT_EQ(assay_.repositories.submission_refs.size(), 150);
}

TEST_F(DeadlinesTest, ALostRefIsWrittenAgain) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(hours(2));
  assay_.repositories.failure = Error{Code::kUnavailable, "disk full"};
  ASSERT_EQ(Sweep(), 1);
  EXPECT_TRUE(assay_.repositories.submission_refs.empty());
  assay_.Restart();
  ASSERT_THAT(assay_.loop.Await(assay_.parts().refs->RepairAll()), IsOk());
  EXPECT_EQ(assay_.repositories.submission_refs.size(), 1);
}

// The loop itself: started, it sweeps at once, and waking it looks again.
TEST_F(DeadlinesTest, TheLoopFreezesWhatIsDue) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(hours(2));
  assay_.parts().deadlines->Start();
  while (Submissions(candidate).empty()) assay_.loop.RunReady();
  const rpc::Caller next = assay_.Begin();
  assay_.clock.Advance(hours(2));
  assay_.parts().deadlines->Wake();
  while (Submissions(next).empty()) assay_.loop.RunReady();
  assay_.parts().deadlines->Stop();
}

}  // namespace
}  // namespace assay::deadlines
