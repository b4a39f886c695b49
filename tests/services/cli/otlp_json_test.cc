#include "services/cli/otlp_json.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::SizeIs;

class OtlpJsonTest : public testing::Test {
 protected:
  otlp::v1::Span& Add(const std::string& service, char id) {
    auto& resource = *trace_.add_resource_spans();
    auto& name = *resource.mutable_resource()->add_attributes();
    name.set_key("service.name");
    name.mutable_value()->set_string_value(service);
    auto& span = *resource.add_scope_spans()->add_spans();
    span.set_trace_id(std::string(15, '\0') + "\x7f");
    span.set_span_id(std::string(8, id));
    span.set_name("GET /");
    return span;
  }
  static void Put(otlp::v1::Span& span, const std::string& key,
                  const otlp::v1::AnyValue& value) {
    auto& pair = *span.add_attributes();
    pair.set_key(key);
    *pair.mutable_value() = value;
  }

  v1::GetTraceResponse trace_;
};

// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
TEST_F(OtlpJsonTest, IdsAreHexEnumsNumbersAndLongIntegersStrings) {
  auto& span = Add("assay", '\xab');
  span.set_parent_span_id(std::string(8, '\x01'));
  span.set_kind(otlp::v1::Span::SPAN_KIND_CLIENT);
  span.set_start_time_unix_nano(1'700'000'000'000'000'001);
  span.mutable_status()->set_code(otlp::v1::SpanStatus::STATUS_CODE_ERROR);
  span.mutable_status()->set_message("no");
  span.add_events()->set_name("healed");
  const json all = json::parse(OtlpJson(trace_));
  const json& resource = all["resourceSpans"][0];
  EXPECT_EQ(resource["resource"]["attributes"],
            json::parse(R"([{"key": "service.name",
                             "value": {"stringValue": "assay"}}])"));
  const json& told = resource["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(told["traceId"], "0000000000000000000000000000007f");
  EXPECT_EQ(told["spanId"], "abababababababab");
  EXPECT_EQ(told["parentSpanId"], "0101010101010101");
  EXPECT_EQ(told["kind"], 3);
  EXPECT_EQ(told["startTimeUnixNano"], "1700000000000000001");
  EXPECT_EQ(told["status"], json::parse(R"({"code": 2, "message": "no"})"));
  EXPECT_EQ(told["events"][0]["name"], "healed");
}

TEST_F(OtlpJsonTest, EveryKindOfValueHasItsName) {
  auto& span = Add("assay", 'a');
  otlp::v1::AnyValue value;
  value.set_int_value(-5);
  Put(span, "int", value);
  value.set_bool_value(true);
  Put(span, "bool", value);
  value.set_double_value(0.5);
  Put(span, "double", value);
  value.set_bytes_value("abcd");
  Put(span, "bytes", value);
  value.mutable_array_value()->add_values()->set_string_value("x");
  Put(span, "list", value);
  const json all = json::parse(OtlpJson(trace_));
  std::vector<json> values;
  for (const json& pair :
       all["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]) {
    values.push_back(pair["value"]);
  }
  EXPECT_THAT(
      values,
      ElementsAre(json{{"intValue", "-5"}}, json{{"boolValue", true}},
                  json{{"doubleValue", 0.5}}, json{{"bytesValue", "YWJjZA=="}},
                  json::parse(R"({"arrayValue":
                                  {"values": [{"stringValue": "x"}]}})")));
}

TEST_F(OtlpJsonTest, EachPieceIsAnExportOfItsOwn) {
  for (char id = 'a'; id < 'f'; ++id) Add(id < 'd' ? "assay" : "orders", id);
  const auto pieces = OtlpJsonPieces(trace_, 2);
  ASSERT_THAT(pieces, SizeIs(3));
  std::vector<std::string> ids;
  for (const std::string& piece : pieces) {
    EXPECT_EQ(piece.find('\n'), std::string::npos);
    for (const json& resource : json::parse(piece)["resourceSpans"]) {
      EXPECT_TRUE(resource["resource"].contains("attributes"));
      for (const json& span : resource["scopeSpans"][0]["spans"]) {
        ids.push_back(span["spanId"].get<std::string>().substr(0, 2));
      }
    }
  }
  EXPECT_THAT(ids, ElementsAre("61", "62", "63", "64", "65"));
}

TEST_F(OtlpJsonTest, NothingIsAnEmptyExport) {
  EXPECT_EQ(OtlpJson(trace_), R"({"resourceSpans":[]})");
}

// Protobuf's own reader, strict about names and types, for which ids are base64
// rather than hex: what it reads is what was there.
TEST_F(OtlpJsonTest, IsWhatTheProtocolsDefinitionSays) {
  otlp::v1::Span& span = Add("assay", 'a');
  span.set_parent_span_id("parentid");
  span.set_trace_state("a=b");
  span.set_kind(otlp::v1::Span::SPAN_KIND_SERVER);
  span.set_start_time_unix_nano(1'700'000'000'000'000'001);
  span.set_end_time_unix_nano(~std::uint64_t{0});
  span.set_dropped_attributes_count(3);
  span.set_dropped_links_count(1);
  span.mutable_status()->set_code(otlp::v1::SpanStatus::STATUS_CODE_ERROR);
  span.mutable_status()->set_message("no");
  auto& event = *span.add_events();
  event.set_name("e");
  event.set_time_unix_nano(7);
  auto& link = *span.add_links();
  link.set_trace_id(std::string(16, 'l'));
  link.set_span_id(std::string(8, 'l'));
  link.set_trace_state("c=d");
  otlp::v1::AnyValue value;
  value.set_string_value("text");
  Put(span, "string", value);
  value.set_int_value(-(std::int64_t{1} << 62));
  Put(span, "int", value);
  value.set_bool_value(false);
  Put(span, "bool", value);
  value.set_bytes_value(std::string("\0\xff", 2));
  Put(span, "bytes", value);
  for (const double number : {0.1, std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity()}) {
    value.set_double_value(number);
    Put(span, "double", value);
  }
  auto& inner = *value.mutable_kvlist_value()->add_values();
  inner.set_key("inner");
  inner.mutable_value();
  Put(span, "list", value);

  std::string text = OtlpJson(trace_);
  for (const auto& [hex, base64] :
       {std::pair{"0000000000000000000000000000007f",
                  "AAAAAAAAAAAAAAAAAAAAfw=="},
        std::pair{"6161616161616161", "YWFhYWFhYWE="},
        std::pair{"706172656e746964", "cGFyZW50aWQ="},
        std::pair{"6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c",
                  "bGxsbGxsbGxsbGxsbGxsbA=="},
        std::pair{"6c6c6c6c6c6c6c6c", "bGxsbGxsbGw="}}) {
    const auto at = text.find(hex);
    ASSERT_NE(at, std::string::npos) << hex;
    text.replace(at, std::string(hex).size(), base64);
  }
  v1::GetTraceResponse read;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(text, &read, {});
  ASSERT_TRUE(parsed.ok()) << parsed.ToString() << "\n" << text;
  // An empty scope is written all the same: some readers look for it.
  read.mutable_resource_spans(0)->mutable_scope_spans(0)->clear_scope();
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  EXPECT_TRUE(differencer.Compare(trace_, read)) << differences;

  value.set_double_value(std::numeric_limits<double>::quiet_NaN());
  Put(Add("assay", 'b'), "x", value);
  EXPECT_THAT(OtlpJson(trace_), testing::HasSubstr(R"("doubleValue":"NaN")"));
}

TEST_F(OtlpJsonTest, BytesThatAreNoTextDoNotStopIt) {
  Add("assay", 'a').set_name("\xff");
  EXPECT_TRUE(json::accept(OtlpJson(trace_)));
}

}  // namespace
}  // namespace assay::cli
