// What is told of runs: events, results, and their ends.

#include "tests/services/storage/runs_fixture.h"

namespace assay::storage {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

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

}  // namespace
}  // namespace assay::storage
