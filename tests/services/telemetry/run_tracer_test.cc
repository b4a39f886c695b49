#include "services/telemetry/run_tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/base/digest.h"
#include "services/storage/sqlite/sqlite_store.h"
#include "tests/testing/event_loop.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/temporary_directory.h"

namespace assay::telemetry {
namespace {

using otlp::v1::Span;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class RunTracerTest : public ::testing::Test {
 protected:
  RunTracerTest() {
    run_.id = RunId("run_1");
    run_.kind = v1::Run::KIND_FINAL;
    run_.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    run_.queue_time = clock_.Now();
    run_.epoch = 1;
  }
  // As assay-run makes it.
  Span OfRun(const std::string& name) const {
    Span span;
    span.set_trace_id(FromHex(run_.trace_id));
    span.set_span_id("12345678");
    span.set_parent_span_id(FromHex(run_.trace_id.substr(0, 16)));
    span.set_name(name);
    return span;
  }
  static v1::RunEvent EventOf(const Span& span) {
    v1::RunEvent event;
    *event.mutable_spans()->add_spans() = span;
    return event;
  }
  static v1::RunEvent Now(v1::Run::State state) {
    v1::RunEvent event;
    event.mutable_state_changed()->set_state(state);
    return event;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Span& span : spans_) names.push_back(span.name());
    return names;
  }

  testing::TemporaryDirectory directory_;
  testing::EventLoop loop_;
  testing::ManualClock clock_;
  std::unique_ptr<storage::Store> store_ =
      *storage::OpenSqlite(directory_.path() / "store.db", {.readers = 1});
  std::vector<Span> spans_;
  RunTracer tracer_{loop_.executor(), *store_, clock_,
                    [this](Span span) { spans_.push_back(std::move(span)); }};
  storage::RunRecord run_;
};

TEST_F(RunTracerTest, ARunIsOneConnectedTrace) {
  clock_.Advance(std::chrono::seconds(3));
  tracer_.Leased(run_);
  clock_.Advance(std::chrono::seconds(1));
  tracer_.LeaseSent(run_);
  google::protobuf::RepeatedPtrField<Span> worker;
  *worker.Add() = OfRun("fetch");
  tracer_.WorkerSpans(run_, worker);
  const Clock::TimePoint came = clock_.Now();
  clock_.Advance(std::chrono::seconds(2));
  v1::RunEvent finished;
  finished.mutable_finished()->set_outcome(v1::Run::OUTCOME_COMPLETED);
  tracer_.Reported(
      run_, {EventOf(OfRun("build")), finished, Now(v1::Run::STATE_FINISHED)},
      came);
  tracer_.Shown(run_.id);
  EXPECT_THAT(Names(),
              UnorderedElementsAre("assay.queue", "assay.lease.send",
                                   "assay.worker.fetch", "assay.phase.build",
                                   "assay.lease", "assay.verdict",
                                   "assay.grade", "assay.show"));
  const std::string root = FromHex(run_.trace_id.substr(0, 16));
  for (const Span& span : spans_) {
    EXPECT_EQ(ToHex(span.trace_id()), run_.trace_id) << span.name();
    const bool is_root = span.name() == "assay.grade";
    EXPECT_EQ(span.parent_span_id(), is_root ? "" : root) << span.name();
    EXPECT_EQ(span.span_id() == root, is_root) << span.name();
    EXPECT_LE(span.start_time_unix_nano(), span.end_time_unix_nano());
  }
  EXPECT_EQ(spans_[0].end_time_unix_nano() - spans_[0].start_time_unix_nano(),
            3'000'000'000u);
}

TEST_F(RunTracerTest, NothingOfACandidateIsCopied) {
  Span build = OfRun("build");
  auto& attribute = *build.add_attributes();
  attribute.set_key("db.statement");
  attribute.mutable_value()->set_string_value("SECRET");
  build.mutable_status()->set_message("SECRET");
  build.set_trace_state("SECRET");
  build.add_events()->set_name("SECRET");
  Span theirs = OfRun("build");
  auto& service = *theirs.add_attributes();
  service.set_key("service.name");
  Span other = OfRun("build");
  other.set_trace_id(std::string(16, 'x'));
  tracer_.Reported(run_,
                   {EventOf(build), EventOf(theirs), EventOf(other),
                    EventOf(OfRun("GET /SECRET"))},
                   clock_.Now());
  google::protobuf::RepeatedPtrField<Span> worker;
  for (int i = 0; i < 100; ++i) *worker.Add() = OfRun("SECRET");
  tracer_.WorkerSpans(run_, worker);
  ASSERT_THAT(Names(), UnorderedElementsAre("assay.phase.build"));
  EXPECT_THAT(spans_[0].SerializeAsString(), Not(HasSubstr("SECRET")));
}

TEST_F(RunTracerTest, ALeaseThatIsLostIsInTheTraceAsWell) {
  tracer_.Leased(run_);
  run_.state = v1::Run::STATE_QUEUED;
  tracer_.Lost(run_);
  ASSERT_THAT(Names(), UnorderedElementsAre("assay.queue", "assay.lease"));
  EXPECT_EQ(spans_[1].status().code(), otlp::v1::SpanStatus::STATUS_CODE_ERROR);
  spans_.clear();
  run_.state = v1::Run::STATE_FINISHED;
  run_.outcome = v1::Run::OUTCOME_ERRORED;
  tracer_.Lost(run_);
  EXPECT_THAT(Names(), UnorderedElementsAre("assay.lease", "assay.grade"));
}

TEST_F(RunTracerTest, APushIsWhereItsTraceBegins) {
  const PushId push("push_1");
  const Clock::TimePoint received = clock_.Now();
  clock_.Advance(std::chrono::seconds(1));
  tracer_.PushRecorded(push, received);
  clock_.Advance(std::chrono::seconds(1));
  run_.push = push;
  tracer_.Queued(run_);
  ASSERT_THAT(Names(),
              UnorderedElementsAre("assay.push.receive", "assay.push.land"));
  for (const Span& span : spans_)
    EXPECT_EQ(span.end_time_unix_nano() - span.start_time_unix_nano(),
              1'000'000'000u);
  spans_.clear();
  tracer_.Queued(run_);
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace assay::telemetry
