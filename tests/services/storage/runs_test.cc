// The queue, the leases and the events of runs.

#include "tests/services/storage/store_conformance.h"

namespace assay::storage {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

v1::RunEvent PhaseEvent(const std::string& phase) {
  v1::RunEvent event;
  event.mutable_phase_started()->set_phase(phase);
  return event;
}

v1::RunEvent ResultEvent(const std::string& check, v1::Verdict verdict) {
  v1::RunEvent event;
  event.mutable_check_finished()->mutable_result()->set_check_id(check);
  event.mutable_check_finished()->mutable_result()->set_verdict(verdict);
  return event;
}

v1::RunEvent LogEvent(const std::string& text) {
  v1::RunEvent event;
  event.mutable_log()->set_stream("build");
  event.mutable_log()->set_content(text);
  return event;
}

class RunsTest : public StoreConformanceTest {
 protected:
  Expected<AppendResult> Append(const RunId& run, std::uint64_t epoch,
                                std::int64_t first,
                                std::vector<v1::RunEvent> events) {
    return Write([=](Transaction& tx) {
      return tx.run_events.Append(run, epoch, first, events);
    });
  }
  Expected<RunChange> HandBack(const RunRecord& run, bool fault = true) {
    return Write([run, fault, now = clock_.Now()](Transaction& tx) {
      return tx.runs.HandBack(run.id, run.epoch, now, "worker died", fault);
    });
  }
  Expected<RunChange> Finish(
      const RunRecord& run,
      v1::Run::Outcome outcome = v1::Run::OUTCOME_COMPLETED) {
    return Write([run, outcome, now = clock_.Now()](Transaction& tx) {
      v1::Score score;
      score.set_earned(5);
      return tx.runs.Finish(run.id, run.epoch, now, outcome, "", score);
    });
  }
  Expected<std::vector<RunChange>> Expire() {
    return Write([now = clock_.Now()](Transaction& tx) {
      return tx.runs.ExpireLeases(now);
    });
  }
  // The sequences and state names of all that happened in a run.
  std::vector<v1::RunEvent> Events(const RunId& run) {
    return Read([run](Transaction& tx) {
             return tx.run_events.List(run, 0, 1'000, false);
           })
        .value();
  }
};

TEST_P(RunsTest, KeepsEveryFieldOfAQueuedRun) {
  const RunRecord queued = NewRun(v1::Run::KIND_FINAL);
  RunRecord submitted = queued;
  submitted.submission = 2;
  submitted.push = PushId("psh_1");
  ASSERT_THAT(
      Write([=](Transaction& tx) { return tx.runs.Enqueue(submitted); }),
      IsOk());
  const RunRecord run = Get(queued.id);
  EXPECT_EQ(run.attempt, queued.attempt);
  EXPECT_EQ(run.assignment, queued.assignment);
  EXPECT_EQ(run.kind, v1::Run::KIND_FINAL);
  EXPECT_EQ(run.commit, queued.commit);
  EXPECT_EQ(run.plan_digest, queued.plan_digest);
  EXPECT_EQ(run.trace_id, queued.trace_id);
  EXPECT_EQ(run.seed, queued.seed);
  EXPECT_EQ(run.submission, 2);
  EXPECT_EQ(run.push, PushId("psh_1"));
  EXPECT_EQ(run.queue_time, queued.queue_time);
  EXPECT_EQ(run.state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(run.epoch, 0);
}

TEST_P(RunsTest, FinalBeforePushBeforeRegradeAndThenInOrder) {
  const RunId regrade = Enqueue(v1::Run::KIND_REGRADE);
  const RunId first = Enqueue(v1::Run::KIND_FINAL);
  const RunId push = Enqueue(v1::Run::KIND_PUSH);
  const RunId second = Enqueue(v1::Run::KIND_FINAL);
  std::vector<RunId> order;
  while (const auto run = Take()) order.push_back(run->id);
  EXPECT_THAT(order, ElementsAre(first, second, push, regrade));
}

TEST_P(RunsTest, AssignmentsTakeTurns) {
  const auto enqueue = [&](v1::Run::Kind kind, const std::string& assignment) {
    RunRecord run = NewRun(kind);
    run.assignment = AssignmentId(assignment);
    EXPECT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(run); }),
                IsOk());
    return run.id;
  };
  std::vector<RunId> many;
  for (int i = 0; i < 4; ++i)
    many.push_back(enqueue(v1::Run::KIND_FINAL, "many"));
  const RunId few = enqueue(v1::Run::KIND_FINAL, "few");
  const RunId more = enqueue(v1::Run::KIND_FINAL, "more");
  // What matters more comes first, whoever has runs under way.
  const RunId late = enqueue(v1::Run::KIND_PUSH, "late");
  std::vector<RunId> taken;
  for (int i = 0; i < 7; ++i) {
    const std::optional<RunRecord> run = Take();
    ASSERT_TRUE(run.has_value());
    taken.push_back(run->id);
    // One has ended: its assignment has as many under way as the others.
    if (run->id == more) ASSERT_THAT(Finish(*run), IsOk());
  }
  EXPECT_THAT(taken,
              ElementsAre(many[0], few, more, many[1], many[2], many[3], late));
  EXPECT_FALSE(Take().has_value());
}

TEST_P(RunsTest, ANewerPushReplacesTheQueuedOneOfItsAttempt) {
  const RunId final_run = Enqueue(v1::Run::KIND_FINAL);
  const RunId old = Enqueue(v1::Run::KIND_PUSH);
  RunRecord other = NewRun(v1::Run::KIND_PUSH);
  other.attempt = AttemptId("att_other");
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(other); }),
              IsOk());
  const RunId newer = Enqueue(v1::Run::KIND_PUSH);

  EXPECT_EQ(Get(old).state, v1::Run::STATE_SUPERSEDED);
  EXPECT_EQ(Get(newer).state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(Get(final_run).state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(Get(other.id).state, v1::Run::STATE_QUEUED);
  EXPECT_EQ(Events(old).back().state_changed().state(),
            v1::Run::STATE_SUPERSEDED);
}

TEST_P(RunsTest, ARunningPushIsNotReplaced) {
  const RunId running = Enqueue(v1::Run::KIND_PUSH);
  Take();
  Enqueue(v1::Run::KIND_PUSH);
  EXPECT_EQ(Get(running).state, v1::Run::STATE_RUNNING);
}

TEST_P(RunsTest, APushThatIsLostAfterANewerOneDoesNotWaitBesideIt) {
  const RunId lost = Enqueue(v1::Run::KIND_PUSH);
  const RunRecord first = *Take();
  const RunId newer = Enqueue(v1::Run::KIND_PUSH);
  ASSERT_THAT(HandBack(first), IsOk());
  const RunRecord replaced = Get(lost);
  EXPECT_EQ(replaced.state, v1::Run::STATE_SUPERSEDED);
  EXPECT_THAT(replaced.outcome_reason, ::testing::HasSubstr("newer push"));
  EXPECT_EQ(replaced.finish_time, clock_.Now());

  // The newest one has nothing to give way to.
  const RunRecord second = *Take();
  EXPECT_EQ(second.id, newer);
  ASSERT_THAT(HandBack(second), IsOk());
  EXPECT_EQ(Get(newer).state, v1::Run::STATE_QUEUED);
}

TEST_P(RunsTest, EachLeaseHasAHigherEpochAndFencesTheOneBefore) {
  Enqueue(v1::Run::KIND_FINAL);
  const RunRecord first = *Take("w1");
  EXPECT_EQ(first.epoch, 1);
  EXPECT_EQ(first.lease_expiry, clock_.Now() + kTtl);
  ASSERT_THAT(HandBack(first), IsOk());
  const RunRecord second = *Take("w2");
  EXPECT_EQ(second.epoch, 2);

  EXPECT_THAT(Append(first.id, 1, 1, {PhaseEvent("build")}),
              FailsWith(Code::kAborted, "stale"));
  EXPECT_THAT(Write([&, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Renew(first.id, 1, now, kTtl);
              }),
              FailsWith(Code::kAborted));
  EXPECT_THAT(Finish(first), FailsWith(Code::kAborted));
  EXPECT_THAT(HandBack(first), FailsWith(Code::kAborted));
  EXPECT_EQ(Get(first.id).worker, WorkerId("w2"));
}

TEST_P(RunsTest, ARunIsLeasedToOneWorkerOnly) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  EXPECT_TRUE(Take("w1"));
  EXPECT_FALSE(Take("w2"));
  // Also by whoever saw it in the queue before.
  const auto again = Write([id, now = clock_.Now()](Transaction& tx) {
    return tx.runs.Lease(id, WorkerId("w2"), now, kTtl);
  });
  ASSERT_THAT(again, IsOk());
  EXPECT_FALSE(again->has_value());
  EXPECT_EQ(Get(id).worker, WorkerId("w1"));
}

TEST_P(RunsTest, ARenewedLeaseDoesNotExpire) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const RunRecord run = *Take();
  clock_.Advance(kTtl - std::chrono::seconds(1));
  ASSERT_THAT(Write([&, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Renew(id, run.epoch, now, kTtl);
              }),
              IsOk());
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_THAT(*Expire(), IsEmpty());
  clock_.Advance(kTtl);
  EXPECT_EQ(Expire()->size(), 1);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_QUEUED);
}

TEST_P(RunsTest, ARunThatWasQueuedAgainKeepsItsPlace) {
  const RunId first = Enqueue(v1::Run::KIND_FINAL);
  const RunId second = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(HandBack(*Take(), false), IsOk());
  EXPECT_EQ(Take()->id, first);
  EXPECT_EQ(Take()->id, second);
}

TEST_P(RunsTest, TheThirdLossSetsARunAsideUnscored) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  for (int loss = 1; loss <= 3; ++loss) {
    ASSERT_TRUE(Take()) << "before loss " << loss;
    clock_.Advance(kTtl);
    ASSERT_EQ(Expire()->size(), 1);
  }
  const RunRecord run = Get(id);
  EXPECT_EQ(run.state, v1::Run::STATE_FINISHED);
  EXPECT_EQ(run.outcome, v1::Run::OUTCOME_ERRORED);
  EXPECT_FALSE(run.score);
  EXPECT_THAT(run.outcome_reason, ::testing::HasSubstr("fell silent"));
  EXPECT_FALSE(Take());
}

TEST_P(RunsTest, HandingBackWithoutFaultIsNoLoss) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  for (int i = 0; i < 5; ++i) ASSERT_THAT(HandBack(*Take(), false), IsOk());
  EXPECT_EQ(Get(id).losses, 0);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_QUEUED);
}

TEST_P(RunsTest, EventsAreNumberedOverAllEpochs) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(Append(id, Take()->epoch, 1, {PhaseEvent("build")}), IsOk());
  ASSERT_THAT(HandBack(Get(id)), IsOk());
  ASSERT_THAT(Append(id, Take()->epoch, 1, {PhaseEvent("build")}), IsOk());
  std::int64_t expected = 0;
  for (const v1::RunEvent& event : Events(id))
    EXPECT_EQ(event.sequence(), ++expected);
  // queued, running, build, queued, running, build.
  EXPECT_EQ(expected, 6);
}

TEST_P(RunsTest, RepeatedEventsAreAbsorbedAndGapsRefused) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const auto epoch = Take()->epoch;
  EXPECT_EQ(Append(id, epoch, 1, {LogEvent("a"), LogEvent("b")})->next_offset,
            3);
  // All of it again, then an overlap.
  EXPECT_THAT(Append(id, epoch, 1, {LogEvent("a"), LogEvent("b")})->appended,
              IsEmpty());
  const auto overlap = Append(id, epoch, 2, {LogEvent("b"), LogEvent("c")});
  ASSERT_EQ(overlap->appended.size(), 1);
  EXPECT_EQ(overlap->appended[0].log().content(), "c");
  // One is missing.
  const auto gap = Append(id, epoch, 5, {LogEvent("e")});
  EXPECT_EQ(gap->next_offset, 4);
  EXPECT_THAT(gap->appended, IsEmpty());
  std::string all;
  for (const v1::RunEvent& event : Events(id)) all += event.log().content();
  EXPECT_EQ(all, "abc");
}

TEST_P(RunsTest, ARepeatAfterTheEndIsStillAbsorbed) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const RunRecord run = *Take();
  ASSERT_THAT(Append(id, run.epoch, 1, {LogEvent("a")}), IsOk());
  ASSERT_THAT(Finish(run), IsOk());
  EXPECT_EQ(Append(id, run.epoch, 1, {LogEvent("a")})->next_offset, 2);
  EXPECT_THAT(Append(id, run.epoch, 2, {LogEvent("b")}),
              FailsWith(Code::kAborted));
  EXPECT_TRUE(Finish(run)->events.empty());
  EXPECT_THAT(Finish(run, v1::Run::OUTCOME_BUILD_FAILED),
              FailsWith(Code::kAborted));
  EXPECT_THAT(Write([&, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Renew(id, run.epoch, now, kTtl);
              }),
              FailsWith(Code::kAborted));
  EXPECT_FALSE(Get(id).lease_expiry);
}

TEST_P(RunsTest, ACheckHasOneVerdict) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const auto epoch = Take()->epoch;
  ASSERT_THAT(Append(id, epoch, 1, {ResultEvent("c1", v1::VERDICT_PASSED)}),
              IsOk());
  EXPECT_THAT(Append(id, epoch, 2, {ResultEvent("c1", v1::VERDICT_PASSED)}),
              IsOk());
  EXPECT_THAT(Append(id, epoch, 3,
                     {LogEvent("x"), ResultEvent("c1", v1::VERDICT_FAILED)}),
              FailsWith(Code::kFailedPrecondition, "c1"));
  // Nothing of the refused batch was stored.
  EXPECT_EQ(Get(id).next_offset, 3);
}

TEST_P(RunsTest, ResultsAreThoseOfTheEpochThatIsAskedFor) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(
      Append(id, Take()->epoch, 1, {ResultEvent("c1", v1::VERDICT_FAILED)}),
      IsOk());
  ASSERT_THAT(HandBack(Get(id)), IsOk());
  ASSERT_THAT(Append(id, Take()->epoch, 1,
                     {ResultEvent("c2", v1::VERDICT_PASSED),
                      ResultEvent("c1", v1::VERDICT_PASSED)}),
              IsOk());
  const auto results = Read([id](Transaction& tx) {
                         return tx.run_events.ListResults(id, 2);
                       }).value();
  ASSERT_EQ(results.size(), 2);
  EXPECT_EQ(results[0].check_id(), "c2");
  EXPECT_EQ(results[1].verdict(), v1::VERDICT_PASSED);
}

TEST_P(RunsTest, TheOldestIsLeasedAtOnceWhereAllWaitInOneLane) {
  using Among = RunTable::Among;
  const auto lease = [&](const std::string& lane,
                         Among among = Among::kNobody) {
    return Write([=, now = clock_.Now()](Transaction& tx) {
             return tx.runs.LeaseOldest(lane, WorkerId("w1"), now, kTtl, among);
           })
        .value();
  };
  RunRecord limited = NewRun(v1::Run::KIND_FINAL);
  limited.at_once = 1;
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(limited); }),
              IsOk());
  const RunId next = Enqueue(v1::Run::KIND_REGRADE);
  EXPECT_FALSE(lease("another"));
  EXPECT_FALSE(lease("orders", Among::kBeside)) << "others may be beside it";
  const auto first = lease("orders");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->run.id, limited.id);
  EXPECT_EQ(first->run.epoch, 1);
  EXPECT_EQ(first->events.back().state_changed().state(),
            v1::Run::STATE_RUNNING);
  // Its attempt has as many under way as this one may be beside.
  RunRecord again = NewRun(v1::Run::KIND_FINAL);
  again.at_once = 1;
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(again); }),
              IsOk());
  EXPECT_EQ(lease("orders")->run.id, next);
  EXPECT_FALSE(lease("orders"));
  const RunRecord urgent = NewRun(v1::Run::KIND_FINAL);
  RunRecord first_of_all = urgent;
  first_of_all.queue_time -= std::chrono::hours(1);
  ASSERT_THAT(
      Write([=](Transaction& tx) { return tx.runs.Enqueue(first_of_all); }),
      IsOk());
  EXPECT_FALSE(lease("another", Among::kBeside));
  EXPECT_EQ(lease("orders", Among::kBeside)->run.id, urgent.id);
  // With another lane, whose turn it is takes more than that to say.
  Enqueue(v1::Run::KIND_FINAL);
  RunRecord other = NewRun(v1::Run::KIND_FINAL);
  other.needs = "cpus=2000";
  ASSERT_THAT(Write([=](Transaction& tx) { return tx.runs.Enqueue(other); }),
              IsOk());
  EXPECT_FALSE(lease("orders"));
  EXPECT_FALSE(lease("orders", Among::kBeside));
}

TEST_P(RunsTest, TheLastBatchEndsTheRunInOneStep) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const auto epoch = Take()->epoch;
  ASSERT_THAT(Append(id, epoch, 1, {ResultEvent("c1", v1::VERDICT_PASSED)}),
              IsOk());
  std::vector<v1::RunEvent> last(10, LogEvent("x"));
  last.push_back(ResultEvent("c2", v1::VERDICT_PASSED));
  last.emplace_back().mutable_finished()->set_outcome(
      v1::Run::OUTCOME_COMPLETED);
  const auto end = [&](std::uint64_t under, std::int64_t first,
                       const std::vector<v1::RunEvent>& events) {
    return Write([=, now = clock_.Now()](Transaction& tx) {
             return tx.run_events.AppendLast(
                 id, under, first, events, now,
                 [](const std::vector<v1::CheckResult>& results) {
                   v1::Score score;
                   score.set_earned(static_cast<double>(results.size()));
                   return score;
                 });
           })
        .value();
  };
  // A repeat, a gap, a stale epoch, another verdict: nothing happens.
  EXPECT_FALSE(end(epoch, 1, last));
  EXPECT_FALSE(end(epoch, 3, last));
  EXPECT_FALSE(end(epoch + 1, 2, last));
  EXPECT_FALSE(end(epoch + 1, 1, last));
  auto changed = last;
  changed.front() = ResultEvent("c1", v1::VERDICT_FAILED);
  EXPECT_FALSE(end(epoch, 2, changed));
  EXPECT_EQ(Get(id).next_offset, 2);

  const auto ended = end(epoch, 2, last);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->next_offset, 14);
  EXPECT_EQ(ended->results->size(), 2);
  EXPECT_EQ(Get(id).state, v1::Run::STATE_FINISHED);
  EXPECT_EQ(Get(id).outcome, v1::Run::OUTCOME_COMPLETED);
  EXPECT_EQ(Get(id).score->earned(), 2);
  EXPECT_EQ(Get(id).next_offset, 14);
  EXPECT_FALSE(Get(id).lease_expiry);
  std::int64_t sequence = 0;
  for (const v1::RunEvent& event : Events(id))
    EXPECT_EQ(event.sequence(), ++sequence);
  // queued, running, c1, ten logs, c2, finished, FINISHED.
  EXPECT_EQ(sequence, 16);
  EXPECT_EQ(Get(id).next_sequence, 17);
  EXPECT_EQ(Events(id).back().state_changed().score().earned(), 2);
  EXPECT_FALSE(end(epoch, 2, last));
}

TEST_P(RunsTest, ALastBatchUnderALeaseThatIsOverChangesNothing) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_TRUE(Take());
  ASSERT_THAT(HandBack(Get(id)), IsOk());
  const auto epoch = Take()->epoch;
  std::vector<v1::RunEvent> last(1);
  last.front().mutable_finished()->set_outcome(v1::Run::OUTCOME_COMPLETED);
  const auto end = [&](std::uint64_t under) {
    return Write([=, now = clock_.Now()](Transaction& tx) {
             return tx.run_events.AppendLast(
                 id, under, 1, last, now,
                 [](const auto&) { return std::optional<v1::Score>(); });
           })
        .value();
  };
  EXPECT_FALSE(end(epoch - 1));
  EXPECT_EQ(Get(id).state, v1::Run::STATE_RUNNING);
  ASSERT_THAT(Write([id, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Cancel(id, now, "a person's wish");
              }),
              IsOk());
  EXPECT_FALSE(end(epoch));
  EXPECT_EQ(Get(id).outcome, v1::Run::OUTCOME_CANCELLED);
}

TEST_P(RunsTest, SaysWhetherAnythingIsQueued) {
  const auto any = [&] {
    return Read([](Transaction& tx) { return tx.runs.AnyQueued(); }).value();
  };
  EXPECT_FALSE(any());
  Enqueue(v1::Run::KIND_FINAL);
  EXPECT_TRUE(any());
  Take();
  EXPECT_FALSE(any());
}

TEST_P(RunsTest, ReadersResumeBySequenceAndMayLeaveLogsOut) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(Append(id, Take()->epoch, 1,
                     {LogEvent("a"), PhaseEvent("build"), LogEvent("b")}),
              IsOk());
  const auto rest = Read([id](Transaction& tx) {
                      return tx.run_events.List(id, 3, 1, false);
                    }).value();
  ASSERT_EQ(rest.size(), 1);
  EXPECT_EQ(rest[0].phase_started().phase(), "build");
  const auto results = Read([id](Transaction& tx) {
                         return tx.run_events.List(id, 2, 10, true);
                       }).value();
  ASSERT_EQ(results.size(), 1);
  EXPECT_TRUE(results[0].has_phase_started());
}

TEST_P(RunsTest, SpansComeWithTheCountOfTheDropped) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  v1::RunEvent event;
  event.mutable_spans()->add_spans()->set_name("GET /");
  event.mutable_spans()->set_dropped(4);
  ASSERT_THAT(Append(id, Take()->epoch, 1, {event, event}), IsOk());
  const auto spans = Read([id](Transaction& tx) {
                       return tx.run_events.ListSpans(id, 1);
                     }).value();
  EXPECT_EQ(spans.spans.size(), 2);
  EXPECT_EQ(spans.dropped, 8);
}

TEST_P(RunsTest, CancelEndsWhatHasNotEnded) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  const auto cancel = [&] {
    return Write([id, now = clock_.Now()](Transaction& tx) {
      return tx.runs.Cancel(id, now, "author asked");
    });
  };
  ASSERT_THAT(cancel(), IsOk());
  EXPECT_EQ(Get(id).outcome, v1::Run::OUTCOME_CANCELLED);
  EXPECT_THAT(cancel(), IsOk());
  const RunId other = Enqueue(v1::Run::KIND_FINAL);
  ASSERT_THAT(Finish(*Take()), IsOk());
  EXPECT_THAT(Write([other, now = clock_.Now()](Transaction& tx) {
                return tx.runs.Cancel(other, now, "too late");
              }),
              FailsWith(Code::kFailedPrecondition));
}

TEST_P(RunsTest, PagesThroughAllRunsNewestFirstWhileMoreArrive) {
  for (int i = 0; i < 7; ++i) Enqueue(v1::Run::KIND_FINAL);
  std::vector<std::string> seen;
  Page page{3, ""};
  do {
    const auto found =
        Read([page](Transaction& tx) {
          return tx.runs.List({.attempt = AttemptId("att_1")}, page);
        }).value();
    for (const RunRecord& run : found.items) seen.push_back(run.id.str());
    page.token = found.next_token;
    Enqueue(v1::Run::KIND_FINAL);  // newer than the cursor: shifts nothing
  } while (!page.token.empty());
  EXPECT_THAT(seen, ElementsAre("run_7", "run_6", "run_5", "run_4", "run_3",
                                "run_2", "run_1"));
}

TEST_P(RunsTest, RefusesATokenThatIsNoneOfItsOwn) {
  EXPECT_THAT(Read([](Transaction& tx) {
                return tx.runs.List({}, Page{10, "garbage"});
              }),
              FailsWith(Code::kInvalidArgument, "page_token"));
}

TEST_P(RunsTest, LeasesSurviveReopening) {
  const RunId id = Enqueue(v1::Run::KIND_FINAL);
  Take();
  Reopen();
  const auto running =
      Read([](Transaction& tx) { return tx.runs.ListRunning(); }).value();
  ASSERT_EQ(running.size(), 1);
  EXPECT_EQ(running[0].id, id);
  const auto counts =
      Read([](Transaction& tx) { return tx.runs.Count(); }).value();
  EXPECT_EQ(counts.running, 1);
  EXPECT_EQ(counts.queued, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, RunsTest, ::testing::ValuesIn(StoreKinds()),
                         ::testing::PrintToStringParamName());

}  // namespace
}  // namespace assay::storage
