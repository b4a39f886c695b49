// Invariants 1, 3, 4 and 5 at the unit level: what becomes of pushes around
// the deadline.

#include "services/attempts/push_recorder.h"

#include "assay/v1/attempt_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::attempts {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Installation;
using testing::IsOk;

class PushRecorderTest : public testing::ServiceTest {
 protected:
  PushRecorderTest() {
    v1::AssignmentSpec spec = Installation::SomeSpec();
    spec.mutable_grace()->set_seconds(60);
    assay_.MakeAssignment(spec);
  }
  // Changes the policies that pushes are judged by; before Begin.
  void SetSpec(const v1::AssignmentSpec& spec) {
    ASSERT_THAT(assay_.Write([spec](storage::Transaction& tx) -> Status {
      ASSAY_ASSIGN_OR_RETURN(auto record,
                             tx.assignments.Get(AssignmentId("orders")));
      record.spec.MergeFrom(spec);
      ++record.version;
      return tx.assignments.AddVersion(record);
    }),
                IsOk());
  }
  void SetLatePolicy(v1::AssignmentSpec::LatePolicy policy) {
    v1::AssignmentSpec spec;
    spec.set_late_policy(policy);
    SetSpec(spec);
  }
  RecordedIntent Record(const PushIntent& intent) {
    return assay_.loop.Await(assay_.parts().pushes->RecordPushIntent(intent))
        .value();
  }
  Expected<ConfirmedPush> Confirm(const PushId& push) {
    return assay_.loop.Await(assay_.parts().pushes->ConfirmPush(push));
  }
  int Sweep() {
    return assay_.loop.Await(assay_.parts().deadlines->Sweep()).value();
  }
  storage::PushRecord Get(const PushId& push) {
    return assay_
        .Read([push](storage::Transaction& tx) { return tx.pushes.Get(push); })
        .value();
  }
  std::vector<storage::SubmissionRecord> Submissions(
      const rpc::Caller& candidate) {
    return assay_
        .Read([id = candidate.attempt](storage::Transaction& tx) {
          return tx.submissions.List(id);
        })
        .value();
  }
};

TEST_F(PushRecorderTest, AcceptsAndQueuesTogether) {
  const rpc::Caller candidate = assay_.Begin();
  const RecordedIntent intent = Record(assay_.Intent(candidate, 'a'));
  EXPECT_EQ(intent.refusal, "");
  EXPECT_EQ(Get(intent.push).state, v1::Push::STATE_RECEIVED);

  const ConfirmedPush push = *Confirm(intent.push);
  EXPECT_EQ(push.queue_position, 0);
  EXPECT_EQ(Get(intent.push).state, v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(Get(intent.push).run, push.run);
  const auto run = assay_.Read(
      [&](storage::Transaction& tx) { return tx.runs.Get(push.run); });
  EXPECT_EQ(run->kind, v1::Run::KIND_PUSH);
  EXPECT_EQ(run->commit, std::string(40, 'a'));
  EXPECT_EQ(run->push, intent.push);
}

TEST_F(PushRecorderTest, ALostAnswerIsRepeatedTheSame) {
  const rpc::Caller candidate = assay_.Begin();
  const RecordedIntent intent = Record(assay_.Intent(candidate, 'a'));
  const ConfirmedPush first = *Confirm(intent.push);
  const ConfirmedPush again = *Confirm(intent.push);
  EXPECT_EQ(again.run, first.run);
  EXPECT_EQ(
      assay_
          .Read([](storage::Transaction& tx) { return tx.runs.List({}, {}); })
          ->items.size(),
      1);
}

// The repository moves to another node between the ref and the confirmation.
TEST_F(PushRecorderTest, WhatAnotherNodeMadeOfAPushIsTheAnswer) {
  const rpc::Caller candidate = assay_.Begin();
  PushRecorder& here = *assay_.parts().pushes;
  PushRecorder there(*assay_.parts().store, *assay_.parts().feed, assay_.clock,
                     "there");
  const PushIntent first = assay_.Intent(candidate, 'a');
  const RecordedIntent taken = Record(first);
  const RecordedIntent refused = Record(assay_.Intent(candidate, 'b'));
  ASSERT_THAT(assay_.Write([&](storage::Transaction& tx) -> Status {
    ASSAY_ASSIGN_OR_RETURN(const auto seen,
                           tx.repositories.Get(first.repository));
    return tx.repositories.Move(seen, "there");
  }),
              IsOk());
  EXPECT_THAT(Confirm(taken.push), FailsWith(Code::kAborted, "has moved"));
  EXPECT_EQ(Get(taken.push).state, v1::Push::STATE_RECEIVED);
  EXPECT_THAT(
      assay_.loop.Await(here.RecordPushIntent(assay_.Intent(candidate, 'c'))),
      FailsWith(Code::kAborted, "has moved"));
  // What is open is settled by whoever has the repository.
  EXPECT_EQ(assay_.loop.Await(here.ListOpenIntents())->size(), 0);
  EXPECT_EQ(assay_.loop.Await(there.ListOpenIntents())->size(), 2);

  const ConfirmedPush made = *assay_.loop.Await(there.ConfirmPush(taken.push));
  EXPECT_EQ(assay_.loop.Await(here.ConfirmPush(taken.push))->run, made.run);
  ASSERT_THAT(assay_.loop.Await(there.RefusePush(refused.push, "not there")),
              IsOk());
  EXPECT_THAT(Confirm(refused.push),
              FailsWith(Code::kFailedPrecondition, "not there"));
}

TEST_F(PushRecorderTest, ThePushAtTheCutOffIsInTimeAndTheNextMicrosecondIsNot) {
  const rpc::Caller candidate = assay_.Begin();
  const auto cut_off = assay_.clock.Now() + hours(1) + minutes(1);
  PushIntent in_time = assay_.Intent(candidate, 'a');
  PushIntent late = assay_.Intent(candidate, 'b');
  in_time.receive_time = cut_off;
  late.receive_time = cut_off + microseconds(1);
  // Processing is late for both; it does not count.
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Record(in_time).refusal, "");
  const RecordedIntent refused = Record(late);
  EXPECT_THAT(refused.refusal, HasSubstr("too late"));
  EXPECT_TRUE(refused.late);
  EXPECT_EQ(Get(refused.push).state, v1::Push::STATE_REFUSED);
  EXPECT_THAT(Confirm(refused.push), FailsWith(Code::kFailedPrecondition));
}

TEST_F(PushRecorderTest, LatePushesAreKeptWhereThePolicySaysSo) {
  SetLatePolicy(v1::AssignmentSpec::LATE_POLICY_LATE);
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(hours(2));
  const RecordedIntent intent = Record(assay_.Intent(candidate, 'a'));
  EXPECT_EQ(intent.refusal, "");
  EXPECT_TRUE(intent.late);
  const ConfirmedPush push = *Confirm(intent.push);
  EXPECT_TRUE(push.run.empty());
  EXPECT_THAT(push.notice, HasSubstr("late"));
}

TEST_F(PushRecorderTest, PracticePushesRunAndNeverChangeTheSubmission) {
  SetLatePolicy(v1::AssignmentSpec::LATE_POLICY_PRACTICE);
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(Sweep(), 1);
  const ConfirmedPush practice = assay_.Push(candidate, 'b');
  EXPECT_FALSE(practice.run.empty());
  ASSERT_EQ(Submissions(candidate).size(), 1);
  EXPECT_EQ(Submissions(candidate)[0].commit, std::string(40, 'a'));
}

TEST_F(PushRecorderTest, APushInTimeThatWasProcessedAfterTheDeadlineCounts) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  PushIntent intent = assay_.Intent(candidate, 'b');
  intent.receive_time = assay_.clock.Now() + minutes(60);
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(Sweep(), 1);
  ASSERT_EQ(Submissions(candidate).size(), 1);

  ASSERT_THAT(Confirm(Record(intent).push), IsOk());
  const auto submissions = Submissions(candidate);
  ASSERT_EQ(submissions.size(), 2);
  EXPECT_EQ(submissions[1].commit, std::string(40, 'b'));
  EXPECT_EQ(submissions[1].cause, v1::Submission::CAUSE_DEADLINE);
  EXPECT_FALSE(submissions[1].run.empty());
}

TEST_F(PushRecorderTest, TheDeadlineWaitsForOpenIntents) {
  const rpc::Caller candidate = assay_.Begin();
  const RecordedIntent intent = Record(assay_.Intent(candidate, 'a'));
  assay_.clock.Advance(hours(2));
  EXPECT_EQ(Sweep(), 0);
  ASSERT_THAT(Confirm(intent.push), IsOk());
  EXPECT_EQ(Sweep(), 1);
  EXPECT_EQ(Submissions(candidate)[0].commit, std::string(40, 'a'));
}

TEST_F(PushRecorderTest, TheDeadlineWaitsForRequestsThatWereRead) {
  const rpc::Caller candidate = assay_.Begin();
  auto arrival = assay_.parts().pushes->Arrive(assay_.RepositoryOf(candidate),
                                               assay_.clock.Now());
  assay_.clock.Advance(hours(2));
  // One that came too late holds up nothing.
  auto late = assay_.parts().pushes->Arrive(assay_.RepositoryOf(candidate),
                                            assay_.clock.Now());
  EXPECT_EQ(Sweep(), 0);
  arrival.reset();
  EXPECT_EQ(Sweep(), 1);
}

TEST_F(PushRecorderTest, ARefusedIntentReleasesTheDeadline) {
  const rpc::Caller candidate = assay_.Begin();
  const RecordedIntent intent = Record(assay_.Intent(candidate, 'a'));
  assay_.clock.Advance(hours(2));
  ASSERT_THAT(assay_.loop.Await(assay_.parts().pushes->RefusePush(
                  intent.push, "the pack is damaged")),
              IsOk());
  EXPECT_EQ(Get(intent.push).refusal, "the pack is damaged");
  EXPECT_EQ(Sweep(), 1);
  EXPECT_EQ(Submissions(candidate)[0].commit, "");
}

TEST_F(PushRecorderTest, OpenIntentsSurviveARestart) {
  const rpc::Caller candidate = assay_.Begin();
  const RecordedIntent intent = Record(assay_.Intent(candidate, 'a'));
  assay_.Restart();
  const auto open =
      assay_.loop.Await(assay_.parts().pushes->ListOpenIntents()).value();
  ASSERT_EQ(open.size(), 1);
  EXPECT_EQ(open[0].id, intent.push);
  EXPECT_EQ(open[0].new_commit, std::string(40, 'a'));
  ASSERT_THAT(Confirm(intent.push), IsOk());
}

TEST_F(PushRecorderTest, ATipThatIsFoundAfterTheCutOffIsLate) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(hours(2));
  const auto found = assay_.loop.Await(assay_.parts().pushes->RecordFoundTip(
      assay_.RepositoryOf(candidate), "refs/heads/main", std::string(40, 'f'),
      assay_.clock.Now()));
  ASSERT_THAT(found, IsOk());
  EXPECT_TRUE(found->run.empty());
  EXPECT_TRUE(Get(found->push).late);
  EXPECT_EQ(Sweep(), 1);
  EXPECT_EQ(Submissions(candidate)[0].commit, "");
}

TEST_F(PushRecorderTest, ATipWithoutAPushIsRecordedAndAudited) {
  const rpc::Caller candidate = assay_.Begin();
  const auto found = assay_.loop.Await(assay_.parts().pushes->RecordFoundTip(
      assay_.RepositoryOf(candidate), "refs/heads/main", std::string(40, 'f'),
      assay_.clock.Now()));
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found->run.empty());
  const auto tips = assay_.loop.Await(
      assay_.parts().pushes->AcceptedTips(assay_.RepositoryOf(candidate)));
  EXPECT_EQ(tips->at("refs/heads/main"), std::string(40, 'f'));
  const auto audit = assay_.Read(
      [](storage::Transaction& tx) { return tx.audit.List(0, 100); });
  EXPECT_EQ(audit->back().action, "push.found");
}

TEST_F(PushRecorderTest, AcceptedTipsAreTheLastOfEachBranch) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(seconds(1));
  assay_.Push(candidate, 'b');
  PushIntent other = assay_.Intent(candidate, 'c');
  other.ref = "refs/heads/try";
  ASSERT_THAT(Confirm(Record(other).push), IsOk());
  const auto tips = assay_.loop
                        .Await(assay_.parts().pushes->AcceptedTips(
                            assay_.RepositoryOf(candidate)))
                        .value();
  EXPECT_EQ(tips.size(), 2);
  EXPECT_EQ(tips.at("refs/heads/main"), std::string(40, 'b'));
}

TEST_F(PushRecorderTest, OtherBranchesAreKeptAndNotGraded) {
  const rpc::Caller candidate = assay_.Begin();
  PushIntent intent = assay_.Intent(candidate, 'a');
  intent.ref = "refs/heads/try";
  const ConfirmedPush push = *Confirm(Record(intent).push);
  EXPECT_TRUE(push.run.empty());
  EXPECT_THAT(push.notice, HasSubstr("refs/heads/main"));
}

TEST_F(PushRecorderTest, RefusesWhatIsNoBranchAndWhatDeletesOrRewrites) {
  const rpc::Caller candidate = assay_.Begin();
  PushIntent tag = assay_.Intent(candidate, 'a');
  tag.ref = "refs/tags/v1";
  EXPECT_THAT(Record(tag).refusal, HasSubstr("only branches"));
  PushIntent hidden = assay_.Intent(candidate, 'a');
  hidden.ref = "refs/submissions/1";
  EXPECT_THAT(Record(hidden).refusal, HasSubstr("only branches"));
  PushIntent deletion = assay_.Intent(candidate, '0');
  EXPECT_THAT(Record(deletion).refusal, HasSubstr("cannot be deleted"));
  PushIntent rewrite = assay_.Intent(candidate, 'a');
  rewrite.fast_forward = false;
  EXPECT_THAT(Record(rewrite).refusal, HasSubstr("rewrite history"));
}

TEST_F(PushRecorderTest, RewritingIsAllowedWhereTheAuthorSaysSo) {
  v1::AssignmentSpec spec;
  spec.set_allow_force_push(true);
  SetSpec(spec);
  const rpc::Caller candidate = assay_.Begin();
  PushIntent rewrite = assay_.Intent(candidate, 'a');
  rewrite.fast_forward = false;
  EXPECT_EQ(Record(rewrite).refusal, "");
}

TEST_F(PushRecorderTest, RunsAreLimitedByTheHourAndPushesAreNot) {
  v1::AssignmentSpec spec;
  spec.set_push_runs_per_hour(2);
  SetSpec(spec);
  const rpc::Caller candidate = assay_.Begin();
  for (const char digit : {'a', 'b'}) {
    EXPECT_FALSE(assay_.Push(candidate, digit).run.empty());
    assay_.clock.Advance(minutes(1));
  }
  const ConfirmedPush third = assay_.Push(candidate, 'c');
  EXPECT_TRUE(third.run.empty());
  EXPECT_THAT(third.notice, HasSubstr("2 pushes an hour"));
  assay_.clock.Advance(minutes(59));
  EXPECT_FALSE(assay_.Push(candidate, 'd').run.empty());
}

TEST_F(PushRecorderTest, OfEqualReceiveTimesTheLastTakenIsHandedIn) {
  const rpc::Caller candidate = assay_.Begin();
  // Ids are random, so that an order by them would hold once in many times.
  for (const char digit : {'3', '9', '1', '7', '5', '2', '8', '4'})
    assay_.Push(candidate, digit);
  assay_.clock.Advance(std::chrono::hours(2));
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  EXPECT_EQ(assay_
                .Read([id = candidate.attempt](storage::Transaction& tx) {
                  return tx.submissions.Get(id, 1);
                })
                ->commit,
            std::string(40, '4'));
}

TEST_F(PushRecorderTest, AClockThatWasSetBackDoesNotReorderPushes) {
  const rpc::Caller candidate = assay_.Begin();
  assay_.clock.Advance(std::chrono::minutes(30));
  assay_.Push(candidate, 'a');
  assay_.clock.Advance(-std::chrono::minutes(20));
  assay_.Push(candidate, 'b');
  assay_.clock.Advance(std::chrono::hours(2));
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  EXPECT_EQ(assay_
                .Read([id = candidate.attempt](storage::Transaction& tx) {
                  return tx.submissions.Get(id, 1);
                })
                ->commit,
            std::string(40, 'b'));
}

TEST_F(PushRecorderTest, AnOlderPushThatIsConfirmedLaterTakesNoRunAway) {
  const rpc::Caller candidate = assay_.Begin();
  auto& pushes = *assay_.parts().pushes;
  const auto older =
      assay_.loop.Await(pushes.RecordPushIntent(assay_.Intent(candidate, 'a')));
  const auto newer = assay_.Push(candidate, 'b');
  const auto confirmed = assay_.loop.Await(pushes.ConfirmPush(older->push));
  ASSERT_THAT(confirmed, IsOk());
  EXPECT_TRUE(confirmed->run.empty());
  const auto run = assay_.Read(
      [&](storage::Transaction& tx) { return tx.runs.Get(newer.run); });
  EXPECT_EQ(run->state, v1::Run::STATE_QUEUED);
}

TEST_F(PushRecorderTest, WhoWatchesTheAttemptHearsWhatBecomesOfAPush) {
  const rpc::Caller candidate = assay_.Begin();
  const auto watch = assay_.parts().feed->WatchAttempt(candidate.attempt);
  const RecordedIntent kept = Record(assay_.Intent(candidate, 'a'));
  ASSERT_THAT(assay_.loop.Await(assay_.parts().pushes->DescribePush(
                  kept.push, "Begin", assay_.clock.Now())),
              IsOk());
  EXPECT_THAT(assay_.loop.Await(watch->Next()), IsOk());
  ASSERT_THAT(
      assay_.loop.Await(assay_.parts().pushes->RefusePush(kept.push, "no")),
      IsOk());
  EXPECT_THAT(assay_.loop.Await(watch->Next()), IsOk());
}

TEST_F(PushRecorderTest, ARepositoryOfNobodyIsNotFound) {
  PushIntent intent;
  intent.repository = RepositoryId("rep_unknown");
  EXPECT_THAT(
      assay_.loop.Await(assay_.parts().pushes->RecordPushIntent(intent)),
      FailsWith(Code::kNotFound));
}

}  // namespace
}  // namespace assay::attempts
