#include "services/telemetry/otlp_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/matchers.h"

namespace assay::telemetry {
namespace {

using testing::FailsWith;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Protocol = OtlpSettings::Protocol;

class OtlpSettingsTest : public ::testing::Test {
 protected:
  Expected<std::optional<OtlpSettings>> Read(const std::string& endpoint = "") {
    return ReadOtlpSettings(endpoint,
                            [this](const char* name) { return set_[name]; });
  }
  std::map<std::string, std::string> set_;
};

TEST_F(OtlpSettingsTest, NothingIsExportedUntilACollectorIsNamed) {
  EXPECT_FALSE(Read()->has_value());
  set_["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://host:4318";
  EXPECT_TRUE(Read()->has_value());
  set_["OTEL_TRACES_EXPORTER"] = "none";
  EXPECT_FALSE(Read()->has_value());
  set_["OTEL_TRACES_EXPORTER"] = "otlp";
  set_["OTEL_SDK_DISABLED"] = "true";
  EXPECT_FALSE(Read("http://host:4318")->has_value());
}

TEST_F(OtlpSettingsTest, TheSchemeOfTheOptionSaysTheProtocol) {
  set_["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json";
  const struct {
    const char* endpoint;
    Protocol protocol;
    const char* target;
    bool tls;
  } cases[] = {
      {"http://c:4318", Protocol::kHttp, "http://c:4318/v1/traces", false},
      {"https://c/otlp/", Protocol::kHttp, "https://c/otlp/v1/traces", true},
      {"http://c/v1/traces", Protocol::kHttp, "http://c/v1/traces", false},
      {"grpc://c:4317", Protocol::kGrpc, "c:4317", false},
      {"grpcs://c:4317", Protocol::kGrpc, "c:4317", true},
  };
  for (const auto& each : cases) {
    const auto read = Read(each.endpoint);
    ASSERT_TRUE(read && *read) << each.endpoint;
    EXPECT_EQ((*read)->protocol, each.protocol) << each.endpoint;
    EXPECT_EQ((*read)->target, each.target);
    EXPECT_EQ((*read)->tls, each.tls) << each.endpoint;
  }
}

TEST_F(OtlpSettingsTest, HonoursTheStandardEnvironment) {
  set_ = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4317"},
          {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
          {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1"},
          {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x=2"},
          {"OTEL_EXPORTER_OTLP_TIMEOUT", "1500"},
          {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"},
          {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,region=eu"},
          {"OTEL_SERVICE_NAME", "hiring"},
          {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
          {"OTEL_BSP_SCHEDULE_DELAY", "50"}};
  const OtlpSettings read = **Read();
  EXPECT_EQ(read.protocol, Protocol::kGrpc);
  EXPECT_EQ(read.target, "c:4317");
  EXPECT_TRUE(read.tls);
  EXPECT_THAT(read.headers,
              UnorderedElementsAre(Pair("api-key", "a b"), Pair("x", "2")));
  EXPECT_THAT(read.resource,
              UnorderedElementsAre(Pair("service.name", "hiring"),
                                   Pair("region", "eu")));
  EXPECT_EQ(read.timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(read.delay, std::chrono::milliseconds(50));
  EXPECT_EQ(read.ca_file, "/ca.pem");
  EXPECT_EQ(read.max_queue, 100u);
  EXPECT_EQ(read.max_batch, 100u);

  // The one for traces is the whole URL.
  set_ = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"},
          {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1/own/path"}};
  EXPECT_EQ((*Read())->target, "http://t:1/own/path");
}

TEST_F(OtlpSettingsTest, RefusesWhatItCannotDo) {
  for (const char* endpoint : {"c:4318", "ftp://c", "http://", "http:///x",
                               "http://user@c", "http://a b"})
    EXPECT_THAT(Read(endpoint), FailsWith(Code::kInvalidArgument)) << endpoint;
  set_["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://c";
  set_["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/json";
  EXPECT_THAT(Read(), FailsWith(Code::kInvalidArgument, "http/protobuf"));
  set_["OTEL_EXPORTER_OTLP_PROTOCOL"] = "";
  set_["OTEL_EXPORTER_OTLP_HEADERS"] = "novalue";
  EXPECT_THAT(Read(), FailsWith(Code::kInvalidArgument, "name=value"));
  set_["OTEL_EXPORTER_OTLP_HEADERS"] = "a=b%0d%0ac";
  EXPECT_THAT(Read(), FailsWith(Code::kInvalidArgument, "line break"));
  set_["OTEL_EXPORTER_OTLP_HEADERS"] = "";
  set_["OTEL_EXPORTER_OTLP_TIMEOUT"] = "-1";
  EXPECT_THAT(Read(), FailsWith(Code::kInvalidArgument, "above 0"));
}

}  // namespace
}  // namespace assay::telemetry
