#include "services/cli/curl_command.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

// The dashboard's test reads the same table, and has a shell and a server show
// what such commands send.
TEST(CurlCommandTest, SaysWhatTheDashboardSays) {
  std::ifstream file(std::string(std::getenv("ASSAY_SOURCE_DIR")) +
                     "/tests/services/cli/curl_cases.json");
  const auto cases = nlohmann::json::parse(file);
  ASSERT_GT(cases.size(), 8);
  for (const auto& one : cases) {
    otlp::v1::Span span;
    for (const auto& [key, value] : one["attributes"].items()) {
      auto& attribute = *span.add_attributes();
      attribute.set_key(key);
      attribute.mutable_value()->set_string_value(value.get<std::string>());
    }
    EXPECT_EQ(CurlCommand(span), one["curl"].get<std::string>()) << one["name"];
  }
}

TEST(CurlCommandTest, BytesThatAreNoTextAreEscaped) {
  otlp::v1::Span span;
  for (const auto& [key, value] :
       {std::pair("http.request.method", "GET"), {"url.path", "/\xff'"}}) {
    auto& attribute = *span.add_attributes();
    attribute.set_key(key);
    attribute.mutable_value()->set_string_value(value);
  }
  EXPECT_EQ(CurlCommand(span), R"(curl -i "$SERVICE"$'/\xff\x27')");
}

}  // namespace
}  // namespace assay::cli
