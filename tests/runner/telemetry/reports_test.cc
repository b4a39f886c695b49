#include "runner/telemetry/reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "proto/base/digest.h"

namespace assay::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

class Sink final : public EventSink {
 public:
  void Emit(assay::v1::RunEvent event) override {
    for (const auto& span : event.spans().spans()) spans.push_back(span);
  }
  std::vector<otlp::v1::Span> spans;
};

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Attribute(const otlp::v1::Span& span, const std::string& key) {
  for (const auto& pair : span.attributes()) {
    if (pair.key() == key) return pair.value().string_value();
  }
  return "(none)";
}

class ReportsTest : public ::testing::Test {
 protected:
  Reports::Taken Take(const std::string& body, bool gzip = false,
                      OtlpSignal signal = OtlpSignal::kTraces) {
    const auto taken = reports_.Take(signal, "service", body, OtlpFormat::kJson,
                                     gzip, problem_);
    tracer_.Flush();
    return taken;
  }
  static std::string Spans(const std::string& attributes = "",
                           const std::string& trace = kTrace,
                           const std::string& id = "00F067AA0BA902B7") {
    return R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",
      "value":{"stringValue":"somebody"}}]},"scopeSpans":[{"scope":{"name":"x"},
      "spans":[{"traceId":")" +
           trace + R"(","spanId":")" + id +
           R"(","parentSpanId":"","name":"handler","kind":2,
      "startTimeUnixNano":"100","endTimeUnixNano":200,"attributes":[)" +
           attributes + R"(],"status":{}}]}]}]})";
  }

  Sink sink_;
  Tracer tracer_{sink_, FromHex(kTrace)};
  Reports reports_{tracer_, {.spans = 3}};
  std::string problem_;
};

// One bad id would keep Jaeger from opening the whole trace.
TEST_F(ReportsTest, IdsThatAreNoneAreLeftOut) {
  EXPECT_EQ(Take(Spans("", kTrace, "0000000000000000")), Reports::Taken::kAll);
  EXPECT_THAT(sink_.spans, IsEmpty());
  std::string links = Spans();
  links.replace(links.find(R"("status":{})"), 11, R"("links":[
      {"traceId":"4bf9","spanId":"00f067aa0ba902b7"},
      {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":""},
      {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",
       "spanId":"00f067aa0ba902b7"}])");
  EXPECT_EQ(Take(links), Reports::Taken::kAll) << problem_;
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_THAT(sink_.spans[0].links(), SizeIs(1));
  EXPECT_EQ(sink_.spans[0].dropped_links_count(), 2);
}

TEST_F(ReportsTest, SpansJoinTheRunsTraceAndSayThatTheyAreReported) {
  EXPECT_EQ(Take(Spans(R"({"key":"http.route","value":{"stringValue":"/x"}},
                          {"key":"n","value":{"intValue":"7"}})")),
            Reports::Taken::kAll);
  ASSERT_THAT(sink_.spans, SizeIs(1));
  const auto& span = sink_.spans[0];
  EXPECT_EQ(ToHex(span.trace_id()), kTrace);
  EXPECT_EQ(ToHex(span.span_id()), "00f067aa0ba902b7");
  EXPECT_EQ(span.end_time_unix_nano(), 200u);
  EXPECT_EQ(Attribute(span, "assay.source"), "reported");
  EXPECT_EQ(Attribute(span, "service.name"), "service");
  EXPECT_THAT(reports_.span_attributes(), HasSubstr("http.route=/x\nn=7\n"));
}

TEST_F(ReportsTest, GzipIsReadAndBounded) {
  EXPECT_EQ(Take(Gzip(Spans()), true), Reports::Taken::kAll);
  EXPECT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(Take(Gzip(std::string(kExportBytes + 1, ' ')), true),
            Reports::Taken::kBad);
  EXPECT_THAT(problem_, HasSubstr("decompressed"));
  EXPECT_EQ(Take("no gzip", true), Reports::Taken::kBad);
}

TEST_F(ReportsTest, NobodyIsSpokenForButTheServiceItself) {
  Take(Spans(R"({"key":"assay.source","value":{"stringValue":"tap"}},
                {"key":"service.name","value":{"stringValue":"assay"}},
                {"key":"assay.hidden","value":{"boolValue":true}})",
             "ffffffffffffffffffffffffffffffff"));
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_EQ(Attribute(sink_.spans[0], "assay.source"), "reported");
  EXPECT_EQ(Attribute(sink_.spans[0], "service.name"), "service");
  EXPECT_EQ(Attribute(sink_.spans[0], "assay.hidden"), "(none)");
  EXPECT_EQ(ToHex(sink_.spans[0].trace_id()), kTrace);
  EXPECT_EQ(Attribute(sink_.spans[0], "assay.reported.trace_id"),
            "ffffffffffffffffffffffffffffffff");
}

TEST_F(ReportsTest, SpansOverTheQuotaAreCounted) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Take(Spans()), Reports::Taken::kAll);
  EXPECT_EQ(Take(Spans()), Reports::Taken::kOverQuota);
  EXPECT_THAT(sink_.spans, SizeIs(3));
  EXPECT_EQ(reports_.dropped(), 1);
}

TEST_F(ReportsTest, AttributeBombsAreCut) {
  std::string attributes;
  for (int i = 0; i < 200; ++i) {
    attributes += (i ? "," : "") + std::string(R"({"key":"k)") +
                  std::to_string(i) + R"(","value":{"stringValue":")" +
                  std::string(5000, 'x') + "\"}}";
  }
  Take(Spans(attributes));
  ASSERT_THAT(sink_.spans, SizeIs(1));
  EXPECT_LT(sink_.spans[0].ByteSizeLong(), 80'000u);
  EXPECT_EQ(sink_.spans[0].dropped_attributes_count(), 136u);
}

TEST_F(ReportsTest, DeepValuesAreRefused) {
  std::string value = R"({"stringValue":"x"})";
  for (int i = 0; i < 200; ++i) {
    value = R"({"arrayValue":{"values":[)" + value + "]}}";
  }
  EXPECT_EQ(Take(Spans(R"({"key":"k","value":)" + value + "}")),
            Reports::Taken::kBad);
  EXPECT_THAT(problem_, HasSubstr("deep"));
}

TEST_F(ReportsTest, IdsOfTheWrongLengthAreDropped) {
  EXPECT_EQ(Take(Spans("", kTrace, "abcd")), Reports::Taken::kAll);
  EXPECT_THAT(sink_.spans, IsEmpty());
  EXPECT_EQ(reports_.dropped(), 1);
}

TEST_F(ReportsTest, BadDataSaysWhatItIs) {
  for (const char* body : {"", "[]", "{", R"({"resourceSpans": 7})"}) {
    EXPECT_EQ(Take(body), Reports::Taken::kBad) << body;
    EXPECT_THAT(problem_, Not(IsEmpty()));
  }
}

TEST_F(ReportsTest, LogsAndMetricsAreKept) {
  EXPECT_EQ(Take(R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[
      {"severityText":"WARN","body":{"stringValue":"slow"},
       "attributes":[{"key":"ms","value":{"intValue":70}}]}]}]}]})",
                 false, OtlpSignal::kLogs),
            Reports::Taken::kAll);
  EXPECT_EQ(reports_.logs(), "WARN slow ms=70\n");
  const auto metrics = [](int value) {
    return R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[
      {"name":"orders","sum":{"dataPoints":[
        {"asInt":")" +
           std::to_string(value) +
           R"(","attributes":[{"key":"state","value":{"stringValue":"paid"}}]},
        {"asDouble":0.5,"attributes":[{"key":"state","value":{"stringValue":"new"}}]}]}},
      {"name":"latency","histogram":{"dataPoints":[{"count":"9","sum":3}]}}]}]}]})";
  };
  Take(metrics(1), false, OtlpSignal::kMetrics);
  Take(metrics(4), false, OtlpSignal::kMetrics);
  EXPECT_EQ(reports_.Find("orders", {}).value, 4.5);
  EXPECT_EQ(reports_.Find("orders", {{"state", "paid"}}).value, 4);
  EXPECT_EQ(reports_.Find("latency", {}).value, 9);
  EXPECT_EQ(reports_.Find("nothing", {}).series, 0);
}

}  // namespace
}  // namespace assay::telemetry
