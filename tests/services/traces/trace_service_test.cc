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

class TraceServiceTest : public testing::ServiceTest {
 protected:
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

TEST_F(TraceServiceTest, AnUnknownRunIsNotFound) {
  EXPECT_THAT(Get(Installation::Admin(), "runs/run_none"),
              FailsWith(Code::kNotFound));
  EXPECT_THAT(Get(Installation::Admin(), "run_none"),
              FailsWith(Code::kInvalidArgument, "runs/"));
}

}  // namespace
}  // namespace assay::traces
