#include "services/coordinator/exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/matchers.h"

namespace assay::coordinator {
namespace {

using testing::FailsWith;

Exposure Closed() {
  return {.grpc_address = "127.0.0.1:7070", .web_address = "[::1]:7080"};
}

TEST(ExposureTest, OnlyLoopbackIsLoopback) {
  for (const char* address :
       {"127.0.0.1:1", "127.9.9.9:0", "[::1]:7080", "localhost:7070"})
    EXPECT_TRUE(IsLoopback(address)) << address;
  for (const char* address :
       {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "assay.example:1",
        "localhost.example:1", "127.0.0.1.example:1", "[::ffff:10.0.0.1]:1",
        ":7080", "*:1", ""})
    EXPECT_FALSE(IsLoopback(address)) << address;
}

TEST(ExposureTest, EachPortBeyondLoopbackNeedsTlsOrAWord) {
  EXPECT_TRUE(CheckExposure(Closed()));
  for (std::string Exposure::* port :
       {&Exposure::grpc_address, &Exposure::web_address}) {
    Exposure open = Closed();
    open.*port = "0.0.0.0:7";
    EXPECT_THAT(CheckExposure(open),
                FailsWith(Code::kInvalidArgument, "0.0.0.0:7 can be reached"));
    open.insecure = true;
    EXPECT_TRUE(CheckExposure(open));
    open.insecure = false;
    open.certificate = "c";
    EXPECT_THAT(CheckExposure(open),
                FailsWith(Code::kInvalidArgument, "--tls-key is missing"));
    open.key = "k";
    EXPECT_TRUE(CheckExposure(open));
  }
}

TEST(ExposureTest, AddressWithoutTlsStaysOnLoopback) {
  Exposure exposure = Closed();
  exposure.certificate = exposure.key = "x";
  exposure.local_grpc_address = "127.0.0.1:0";
  EXPECT_TRUE(CheckExposure(exposure));
  exposure.local_grpc_address = "0.0.0.0:0";
  EXPECT_THAT(CheckExposure(exposure),
              FailsWith(Code::kInvalidArgument, "--local-grpc"));
}

TEST(ExposureTest, LinksDoNotContradictThePort) {
  Exposure exposure = Closed();
  exposure.public_url = "http://assay.example";
  EXPECT_TRUE(CheckExposure(exposure));
  exposure.certificate = exposure.key = "x";
  EXPECT_THAT(CheckExposure(exposure),
              FailsWith(Code::kInvalidArgument, "https://"));
}

}  // namespace
}  // namespace assay::coordinator
