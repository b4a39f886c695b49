#include "services/cli/otlp_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST_F(OtlpJsonTest, BytesThatAreNoTextDoNotStopIt) {
  Add("assay", 'a').set_name("\xff");
  EXPECT_TRUE(json::accept(OtlpJson(trace_)));
}

}  // namespace
}  // namespace assay::cli
