// Invariant 14: readers resume where they broke off, see everything once and
// in order, and always reach the end.

#include "services/runs/run_reader.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "assay/v1/run_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::runs {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

v1::RunEvent Result(const char* check, v1::Verdict verdict) {
  v1::RunEvent event;
  v1::CheckResult* result = event.mutable_check_finished()->mutable_result();
  result->set_check_id(check);
  result->set_title(check);
  result->set_verdict(verdict);
  result->set_hidden(std::string(check) != "open");
  return event;
}

v1::RunEvent Log(const std::string& text, bool hidden = false) {
  v1::RunEvent event;
  event.mutable_log()->set_stream("service");
  event.mutable_log()->set_content(text);
  event.mutable_log()->set_hidden(hidden);
  return event;
}

v1::RunEvent LastWord() {
  v1::RunEvent event;
  event.mutable_finished()->set_outcome(v1::Run::OUTCOME_COMPLETED);
  return event;
}

// A reader with a memory; may be told to stop after some messages.
struct Reader {
  std::vector<v1::WatchRunResponse> messages;
  std::size_t leave_after = 1'000'000;
  bool ended = false;
  Status status;

  RunReader::Write Write() {
    return [this](v1::WatchRunResponse message) {
      return Take(this, std::move(message));
    };
  }
  static Async<void> Take(Reader* reader, v1::WatchRunResponse message) {
    if (reader->messages.size() >= reader->leave_after)
      co_return Fail(Code::kCancelled, "gone");
    reader->messages.push_back(std::move(message));
    co_return Status();
  }
  std::vector<std::int64_t> Sequences() const {
    std::vector<std::int64_t> sequences;
    for (const auto& message : messages)
      if (message.has_event()) sequences.push_back(message.event().sequence());
    return sequences;
  }
  std::string Text() const {
    std::string text;
    for (const auto& message : messages) text += message.ShortDebugString();
    return text;
  }
};

class RunReaderTest : public testing::ServiceTest {
 protected:
  RunReaderTest() {
    assay_.MakeAssignment();
    candidate_ = assay_.Begin();
  }

  void Append(std::vector<v1::RunEvent> events) {
    const auto count = static_cast<std::int64_t>(events.size());
    ASSERT_THAT(assay_.loop.Await(assay_.parts().queue->Append(
                    run_, next_, std::move(events))),
                IsOk());
    next_ += count;
  }
  // As another coordinator does it, of which nobody here hears.
  std::vector<SharedEvent> AppendElsewhere(std::vector<v1::RunEvent> events) {
    const auto stored =
        assay_.Write([run = run_.id, epoch = run_.epoch, first = next_,
                      events](storage::Transaction& tx) {
          return tx.run_events.Append(run, epoch, first, events);
        });
    std::vector<SharedEvent> appended;
    if (!stored) return appended;
    next_ = stored->next_offset;
    for (const v1::RunEvent& event : stored->appended)
      appended.push_back(std::make_shared<const v1::RunEvent>(event));
    return appended;
  }
  void TakeRun() {
    run_ = *assay_.loop
                .Await(assay_.parts().queue->TakeNext(
                    {runs::Room{.worker = WorkerId("w")}}, seconds(10)))
                .value();
  }
  // Starts to follow the run; the reader must live as long as the test.
  void Follow(const rpc::Caller& caller, const RunId& run,
              RunReader::WatchOptions options, Reader& reader) {
    assay_.loop.Spawn(
        FollowOf(assay_.parts().reader.get(), caller, run, options, &reader));
  }
  static boost::asio::awaitable<void> FollowOf(RunReader* runs,
                                               rpc::Caller caller, RunId run,
                                               RunReader::WatchOptions options,
                                               Reader* reader) {
    reader->status =
        co_await runs->Watch(caller, run, options, reader->Write());
    reader->ended = true;
  }
  void WaitFor(const Reader& reader) {
    assay_.loop.RunUntil([&] { return reader.ended; });
  }

  rpc::Caller candidate_;
  rpc::Caller reviewer_ = Installation::As(v1::ROLE_REVIEWER);
  storage::RunRecord run_;
  std::int64_t next_ = 1;
};

TEST_F(RunReaderTest, ASnapshotThenEveryEventToTheEnd) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  Reader reader;
  Follow(reviewer_, id, {}, reader);
  assay_.loop.RunUntil([&] { return !reader.messages.empty(); });
  TakeRun();
  Append({Log("a"), Result("open", v1::VERDICT_PASSED)});
  Append({LastWord()});
  WaitFor(reader);
  EXPECT_THAT(reader.status, IsOk());
  EXPECT_EQ(reader.messages[0].snapshot().state(), v1::Run::STATE_QUEUED);
  EXPECT_EQ(reader.messages[0].snapshot_sequence(), 1);
  EXPECT_THAT(reader.Sequences(), ElementsAre(2, 3, 4, 5, 6));
}

// Blobs that answer when they are told to.
class HeldBlobs final : public storage::BlobStore {
 public:
  HeldBlobs(storage::BlobStore& blobs, boost::asio::any_io_executor strand)
      : blobs_(blobs),
        held_(strand, boost::asio::steady_timer::time_point::max()) {}

  bool asked() const { return asked_; }
  void Release() { held_.cancel(); }

  Async<std::string> Get(std::string digest) override {
    asked_ = true;
    co_await held_.async_wait(
        boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return co_await blobs_.Get(std::move(digest));
  }
  Async<std::string> Put(std::string content) override {
    return blobs_.Put(std::move(content));
  }
  Async<bool> Has(std::string digest) override {
    return blobs_.Has(std::move(digest));
  }
  Async<std::vector<std::string>> List(std::string after) override {
    return blobs_.List(std::move(after));
  }

 private:
  storage::BlobStore& blobs_;
  boost::asio::steady_timer held_;
  bool asked_ = false;
};

// The run ends after it was read for the first time, and before the reader is
// told anything.
TEST_F(RunReaderTest, WhatHappensBehindTheFirstReadingIsHeardOf) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  TakeRun();
  HeldBlobs blobs(*assay_.parts().blobs, assay_.loop.executor());
  PlanCache plans(blobs);
  RunReader slow(*assay_.parts().store, plans, *assay_.parts().feed);
  Reader reader;
  assay_.loop.Spawn(FollowOf(&slow, candidate_, id, {}, &reader));
  assay_.loop.RunUntil([&] { return blobs.asked(); });
  Append({Result("open", v1::VERDICT_PASSED), LastWord()});
  blobs.Release();
  assay_.loop.RunUntil([&] { return !reader.messages.empty(); });
  // All that is left is ready.
  assay_.loop.RunReady();
  EXPECT_TRUE(reader.ended);
  EXPECT_THAT(reader.Sequences(), ElementsAre(3, 4, 5));
  assay_.parts().feed->Close();
  WaitFor(reader);
}

TEST_F(RunReaderTest, AFinishedRunIsASnapshotAndTheEnd) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  TakeRun();
  Append({Result("open", v1::VERDICT_PASSED), LastWord()});
  Reader reader;
  Follow(reviewer_, id, {}, reader);
  WaitFor(reader);
  ASSERT_EQ(reader.messages.size(), 1);
  EXPECT_EQ(reader.messages[0].snapshot().checks_size(), 1);
  EXPECT_EQ(reader.messages[0].snapshot().score().earned(), 10);
}

TEST_F(RunReaderTest, AReaderThatBrokeOffMissesNothingAndSeesNothingTwice) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  TakeRun();
  for (int i = 0; i < 450; ++i) Append({Log(std::to_string(i))});
  // Breaks off every 70 messages and comes back with the last sequence; the
  // run goes on meanwhile and ends.
  std::vector<std::int64_t> seen;
  std::int64_t position = 1;
  for (int visit = 0; visit < 50 && position < 454; ++visit) {
    Reader reader;
    reader.leave_after = 70;
    if (visit == 3) Append({LastWord()});
    Follow(reviewer_, id, {.after_sequence = position}, reader);
    WaitFor(reader);
    for (const std::int64_t sequence : reader.Sequences()) {
      seen.push_back(sequence);
      position = sequence;
    }
  }
  ASSERT_EQ(seen.size(), 453);  // 2 ... 454
  for (std::size_t i = 0; i < seen.size(); ++i)
    ASSERT_EQ(seen[i], static_cast<std::int64_t>(i) + 2);
}

TEST_F(RunReaderTest, OneWhoKnowsTheEndIsToldNothing) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  TakeRun();
  Append({LastWord()});
  Reader reader;
  Follow(reviewer_, id, {.after_sequence = 4}, reader);
  WaitFor(reader);
  EXPECT_TRUE(reader.messages.empty());
  EXPECT_THAT(reader.status, IsOk());
}

TEST_F(RunReaderTest, MoreEventsAtOnceThanWaitForAWatcherAllArrive) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  Reader reader;
  Follow(reviewer_, id, {}, reader);
  assay_.loop.RunUntil([&] { return !reader.messages.empty(); });
  TakeRun();
  // Beyond the feed's bound: dropped there and read from the store.
  std::vector<v1::RunEvent> many;
  for (int i = 0; i < 700; ++i) many.push_back(Log(std::to_string(i)));
  Append(std::move(many));
  Append({LastWord()});
  WaitFor(reader);
  const auto sequences = reader.Sequences();
  ASSERT_EQ(sequences.size(), 703);
  for (std::size_t i = 0; i < sequences.size(); ++i)
    ASSERT_EQ(sequences[i], static_cast<std::int64_t>(i) + 2);
}

// Events come from another coordinator over a stream that may begin late and
// break off, beside notes that make a watcher read.
TEST_F(RunReaderTest, WhatAStreamOfAnotherCoordinatorLostIsRead) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  Reader reader;
  TakeRun();
  Follow(reviewer_, id, {.after_sequence = -1}, reader);
  assay_.loop.RunUntil([&] { return reader.Sequences().size() == 2; });
  const auto elsewhere = AppendElsewhere({Log("a"), Log("b"), Log("c")});
  assay_.parts().feed->HearEvents(id, {elsewhere.back()});
  assay_.loop.RunUntil([&] { return reader.Sequences().size() >= 5; });
  EXPECT_THAT(reader.Sequences(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(RunReaderTest, WhatWasReadAlreadyIsNotSentAgainByAStream) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  Reader reader;
  TakeRun();
  Follow(reviewer_, id, {.after_sequence = -1}, reader);
  assay_.loop.RunUntil([&] { return reader.Sequences().size() == 2; });
  const auto elsewhere = AppendElsewhere({Log("a"), Log("b")});
  assay_.parts().feed->HearState(id, false);
  assay_.loop.RunUntil([&] { return reader.Sequences().size() >= 4; });
  assay_.parts().feed->HearEvents(id, elsewhere);
  Append({LastWord()});
  WaitFor(reader);
  EXPECT_THAT(reader.Sequences(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(RunReaderTest, ResultsOnlyLeavesLogsOutLiveAndFromTheStore) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  TakeRun();
  Append({Log("before"), Result("open", v1::VERDICT_PASSED), Log("tail")});
  Reader reader;
  Follow(reviewer_, id,
         {.after_sequence = 1, .detail = RunReader::Detail::kResults}, reader);
  assay_.loop.RunUntil([&] { return reader.messages.size() == 2; });
  Append({Log("live")});
  Append({LastWord()});
  WaitFor(reader);
  // running, the result, the last word, finished.
  EXPECT_THAT(reader.Sequences(), ElementsAre(2, 4, 7, 8));
}

TEST_F(RunReaderTest, ARunThatIsTriedAgainIsFollowedIntoItsNextEpoch) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  Reader reader;
  Follow(reviewer_, id, {}, reader);
  TakeRun();
  Append({Result("open", v1::VERDICT_FAILED)});
  assay_.clock.Advance(seconds(10));
  ASSERT_THAT(assay_.loop.Await(assay_.parts().queue->ExpireLeases()), IsOk());
  TakeRun();
  next_ = 1;
  Append({Result("open", v1::VERDICT_PASSED), LastWord()});
  WaitFor(reader);
  EXPECT_EQ(reader.messages.back().event().state_changed().state(),
            v1::Run::STATE_FINISHED);
  EXPECT_EQ(reader.messages.back().event().epoch(), 2);
  const auto run = assay_.loop.Await(assay_.parts().reader->Get(reviewer_, id));
  ASSERT_EQ(run->checks_size(), 1);
  EXPECT_EQ(run->checks(0).verdict(), v1::VERDICT_PASSED);
}

TEST_F(RunReaderTest, AnothersRunIsNotThere) {
  const RunId id = assay_.Push(candidate_, 'a').run;
  const rpc::Caller other = assay_.Begin();
  EXPECT_THAT(assay_.loop.Await(assay_.parts().reader->Get(other, id)),
              FailsWith(Code::kNotFound));
  Reader reader;
  Follow(other, id, {}, reader);
  WaitFor(reader);
  EXPECT_THAT(reader.status, FailsWith(Code::kNotFound));
  EXPECT_TRUE(reader.messages.empty());
  v1::ListRunsRequest request;
  EXPECT_EQ(
      assay_.Call<v1::ListRunsResponse>(other, "RunService/ListRuns", request)
          ->runs_size(),
      0);
  request.set_attempt("attempts/" + candidate_.attempt.str());
  EXPECT_THAT(
      assay_.Call<v1::ListRunsResponse>(other, "RunService/ListRuns", request),
      FailsWith(Code::kNotFound));
}

// The whole of a final run as its candidate gets it, by every way.
TEST_F(RunReaderTest, CandidatesLearnNothingOfWhatStaysHidden) {
  assay_.Push(candidate_, 'a');
  TakeRun();
  Append({LastWord()});
  assay_.clock.Advance(hours(2));
  ASSERT_EQ(assay_.loop.Await(assay_.parts().deadlines->Sweep()), 1);
  TakeRun();
  next_ = 1;
  ASSERT_EQ(run_.kind, v1::Run::KIND_FINAL);
  Reader reader;
  Follow(candidate_, run_.id, {}, reader);
  assay_.loop.RunUntil([&] { return reader.messages.size() == 1; });
  v1::RunEvent spans;
  spans.mutable_spans()->add_spans()->set_name("canary");
  v1::RunEvent started;
  started.mutable_check_started()->set_check_id("never");
  started.mutable_check_started()->set_title("canary");
  v1::RunEvent never = Result("never", v1::VERDICT_FAILED);
  never.mutable_check_finished()->mutable_result()->set_reason("canary");
  Append({started, Log("canary", true), spans, never, Log("plain"),
          Result("secret", v1::VERDICT_PASSED),
          Result("open", v1::VERDICT_PASSED), LastWord()});
  WaitFor(reader);
  EXPECT_EQ(reader.Text().find("canary"), std::string::npos) << reader.Text();
  EXPECT_EQ(reader.Text().find("never"), std::string::npos) << reader.Text();
  EXPECT_NE(reader.Text().find("plain"), std::string::npos);
  EXPECT_NE(reader.Text().find("secret"), std::string::npos)
      << "revealed at the deadline, which has passed";

  const auto run =
      assay_.loop.Await(assay_.parts().reader->Get(candidate_, run_.id));
  EXPECT_EQ(run->checks_size(), 2);
  EXPECT_EQ(run->score().earned(), 30);
  EXPECT_EQ(run->score().max(), 30) << "not 60: that would name the hidden 30";
  const auto full =
      assay_.loop.Await(assay_.parts().reader->Get(reviewer_, run_.id));
  EXPECT_EQ(full->score().max(), 60);
  v1::ListRunsRequest list;
  EXPECT_EQ(
      assay_
          .Call<v1::ListRunsResponse>(candidate_, "RunService/ListRuns", list)
          ->ShortDebugString()
          .find("never"),
      std::string::npos);
}

TEST_F(RunReaderTest, RunsAreShownWithTheirPlaceInTheQueue) {
  const rpc::Caller other = assay_.Begin();
  assay_.Push(other, 'b');
  assay_.clock.Advance(seconds(1));
  const RunId id = assay_.Push(candidate_, 'a').run;
  const auto run =
      assay_.loop.Await(assay_.parts().reader->Get(candidate_, id));
  EXPECT_EQ(run->queue_position(), 1);
  EXPECT_EQ(run->name(), "runs/" + id.str());
  EXPECT_EQ(run->attempt(), "attempts/" + candidate_.attempt.str());
  EXPECT_EQ(run->trace_id().size(), 32);
}

}  // namespace
}  // namespace assay::runs
