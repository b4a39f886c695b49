#include "runner/telemetry/tracer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay::telemetry {
namespace {

class Recorder final : public EventSink {
 public:
  void Emit(assay::v1::RunEvent event) override {
    dropped += event.spans().dropped();
    for (const auto& span : event.spans().spans()) spans.push_back(span);
  }
  std::vector<assay::otlp::v1::Span> spans;
  std::int64_t dropped = 0;
};

const std::string kTrace = "0123456789abcdef";

TEST(TraceContextTest, TraceparentSurvivesARoundTrip) {
  const std::string header =
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto context = ParseTraceparent(header);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id.size(), 16u);
  EXPECT_EQ(FormatTraceparent(*context), header);
}

TEST(TraceContextTest, MalformedAndZeroHeadersAreNothing) {
  for (const std::string header :
       {"", "00-xyz", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(ParseTraceparent(header).has_value()) << header;
  }
}

TEST(TracerTest, ASpanIsHandedOnOnceWhenItEnds) {
  Recorder out;
  Tracer tracer(out, kTrace);
  {
    Span parent = tracer.Start("run", {});
    Span child = tracer.Start("phase", parent.context());
    child.Fail("first");
    child.Fail("second");
    child.End();
    child.End();
    EXPECT_TRUE(out.spans.empty());
  }
  tracer.Flush();
  ASSERT_EQ(out.spans.size(), 2u);
  EXPECT_EQ(out.spans[0].name(), "phase");
  EXPECT_EQ(out.spans[0].status().message(), "first");
  EXPECT_EQ(out.spans[0].parent_span_id(), out.spans[1].span_id());
  EXPECT_EQ(out.spans[1].trace_id(), kTrace);
  EXPECT_GE(out.spans[1].end_time_unix_nano(),
            out.spans[0].end_time_unix_nano());
}

TEST(TracerTest, LargeSpansTravelInSmallerBatches) {
  Recorder out;
  Tracer tracer(out, kTrace);
  for (int i = 0; i < 8; ++i) {
    tracer.Start("SELECT", {}).Set("text", std::string(60 << 10, 'x'));
  }
  EXPECT_EQ(out.spans.size(), 5u);
}

TEST(TracerTest, TheQuotaCountsWhatItDropsAndSparesTheRunsOwnSpans) {
  Recorder out;
  Tracer tracer(out, kTrace);
  for (int i = 0; i < Tracer::kQuota + 5; ++i) {
    tracer.Start("SELECT", {}, assay::otlp::v1::Span::SPAN_KIND_CLIENT);
  }
  tracer.Start("check", {});
  tracer.Flush();
  EXPECT_EQ(static_cast<std::int64_t>(out.spans.size()), Tracer::kQuota + 1);
  EXPECT_EQ(out.spans.back().name(), "check");
  EXPECT_EQ(out.dropped, 5);
}

// Checks look at what the service did, which is no less for what is not kept.
TEST(TracerTest, WhatIsDroppedIsSeenByWhoeverWatches) {
  Recorder out;
  Tracer tracer(out, kTrace);
  std::int64_t seen = 0;
  tracer.SetWatch([&](const assay::otlp::v1::Span&) { ++seen; });
  for (int i = 0; i < Tracer::kQuota + 5; ++i) {
    tracer.Start("SELECT", {}, assay::otlp::v1::Span::SPAN_KIND_CLIENT);
  }
  tracer.Flush();
  EXPECT_EQ(out.dropped, 5);
  EXPECT_EQ(seen, Tracer::kQuota + 5);
}

}  // namespace
}  // namespace assay::telemetry
