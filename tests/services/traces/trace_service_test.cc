#include "services/traces/trace_service.h"

#include "assay/v1/trace_service.pb.h"
#include "tests/services/installation/installation.h"

namespace assay::traces {
namespace {

using testing::FailsWith;
using testing::Installation;
using testing::IsOk;

otlp::v1::Span Span(const char* name, const char* service) {
  otlp::v1::Span span;
  span.set_name(name);
  if (*service != '\0') {
    auto& attribute = *span.add_attributes();
    attribute.set_key("service.name");
    attribute.mutable_value()->set_string_value(service);
  }
  return span;
}

TEST(ByServiceTest, SpansStandUnderTheServiceThatMadeThem) {
  const auto resources = ByService({Span("run", ""), Span("SELECT", "db"),
                                    Span("GET /", "candidate"),
                                    Span("check", ""), Span("INSERT", "db")});
  ASSERT_EQ(resources.size(), 3);
  EXPECT_EQ(resources[0].resource().attributes(0).value().string_value(),
            "assay");
  EXPECT_EQ(resources[0].scope_spans(0).spans_size(), 2);
  EXPECT_EQ(resources[1].scope_spans(0).spans(1).name(), "INSERT");
}

// Takes the spans of a stream in the order in which they come.
class SpanSink final : public rpc::MessageSink {
 public:
  rpc::Async<void> Write(const google::protobuf::Message& message) override {
    const auto& response = dynamic_cast<const v1::ReadSpansResponse&>(message);
    ++messages;
    for (const std::string& bytes : response.events()) {
      v1::RunEvent event;
      EXPECT_TRUE(event.ParseFromString(bytes));
      for (const otlp::v1::Span& span : event.spans().spans())
        names.push_back(span.name());
    }
    co_return Status();
  }
  int messages = 0;
  std::vector<std::string> names;
};

class TraceServiceTest : public testing::ServiceTest {
 protected:
  Status ReadSpans(const std::string& run, SpanSink& sink) {
    auto request = std::make_unique<v1::ReadSpansRequest>();
    request->set_run(run);
    const rpc::Method* method =
        assay_.parts().registry.Find("assay.v1.TraceService/ReadSpans");
    return assay_.loop.Await(method->stream(
        rpc::CallContext{.caller = Installation::As(v1::ROLE_REVIEWER),
                         .peer = "127.0.0.1"},
        std::move(request), sink));
  }

  std::optional<storage::RunRecord> Lease() {
    return *assay_.loop.Await(assay_.parts().queue->TakeNext(
        {runs::Room{.worker = WorkerId("w")}}, std::chrono::seconds(10)));
  }

  Expected<v1::GetTraceResponse> Get(const rpc::Caller& caller,
                                     const std::string& run) {
    v1::GetTraceRequest request;
    request.set_run(run);
    return assay_.Call<v1::GetTraceResponse>(caller, "TraceService/GetTrace",
                                             request);
  }
};

TEST_F(TraceServiceTest, ServesTheSpansOfTheLastTry) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  const std::string run = "runs/" + assay_.Push(candidate, 'a').run.str();
  const rpc::Caller reviewer = Installation::As(v1::ROLE_REVIEWER);
  EXPECT_EQ(Get(reviewer, run)->resource_spans_size(), 0);

  for (const char* name : {"first try", "second try"}) {
    const auto lease = *assay_.loop
                            .Await(assay_.parts().queue->TakeNext(
                                {runs::Room{.worker = WorkerId("w")}},
                                std::chrono::seconds(10)))
                            .value();
    v1::RunEvent event;
    *event.mutable_spans()->add_spans() = Span(name, "");
    event.mutable_spans()->set_dropped(3);
    ASSERT_THAT(
        assay_.loop.Await(assay_.parts().queue->Append(lease, 1, {event})),
        IsOk());
    if (lease.epoch == 1)
      ASSERT_THAT(assay_.loop.Await(assay_.parts().queue->HandBack(
                      lease.id, lease.epoch, "x", true)),
                  IsOk());
  }
  const auto trace = Get(reviewer, run);
  ASSERT_EQ(trace->resource_spans_size(), 1);
  ASSERT_EQ(trace->resource_spans(0).scope_spans(0).spans_size(), 1);
  EXPECT_EQ(trace->resource_spans(0).scope_spans(0).spans(0).name(),
            "second try");
  EXPECT_EQ(trace->dropped_span_count(), 3);
  EXPECT_THAT(Get(candidate, run), FailsWith(Code::kPermissionDenied));
}

TEST_F(TraceServiceTest, ReadsTheSpansOfTheLastTryInTheirOrder) {
  assay_.MakeAssignment();
  const rpc::Caller candidate = assay_.Begin();
  const std::string run = "runs/" + assay_.Push(candidate, 'a').run.str();
  SpanSink before;
  EXPECT_THAT(ReadSpans(run, before), IsOk());
  EXPECT_EQ(before.messages, 0);

  constexpr int kBatches = 40;
  std::vector<std::string> expected;
  for (const char* name : {"first", "second"}) {
    const auto lease = Lease();
    ASSERT_TRUE(lease.has_value());
    std::vector<v1::RunEvent> events;
    for (int i = 0; i < kBatches; ++i) {
      // Other events in between are none of this.
      events.emplace_back().mutable_phase_started()->set_phase("x");
      auto& spans = *events.emplace_back().mutable_spans();
      *spans.add_spans() = Span((name + std::to_string(i)).c_str(), "");
      if (lease->epoch == 2) expected.push_back(spans.spans(0).name());
    }
    ASSERT_THAT(
        assay_.loop.Await(assay_.parts().queue->Append(*lease, 1, events)),
        IsOk());
    if (lease->epoch == 1)
      ASSERT_THAT(assay_.loop.Await(assay_.parts().queue->HandBack(
                      lease->id, lease->epoch, "x", true)),
                  IsOk());
  }
  SpanSink sink;
  EXPECT_THAT(ReadSpans(run, sink), IsOk());
  EXPECT_EQ(sink.names, expected);
  EXPECT_GT(sink.messages, 1) << "a large trace comes in parts";
}

TEST_F(TraceServiceTest, AnUnknownRunIsNotFound) {
  SpanSink sink;
  EXPECT_THAT(ReadSpans("runs/run_none", sink), FailsWith(Code::kNotFound));
  EXPECT_THAT(Get(Installation::Admin(), "runs/run_none"),
              FailsWith(Code::kNotFound));
  EXPECT_THAT(Get(Installation::Admin(), "run_none"),
              FailsWith(Code::kInvalidArgument, "runs/"));
}

}  // namespace
}  // namespace assay::traces
