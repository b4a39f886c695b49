#include "sandbox/egress/destination.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include "sandbox/egress/address_range.h"

namespace assay::sandbox {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(DestinationTest, ReadsAndWritesItsForms) {
  for (const char* text :
       {"a.example.org:443", "[2001:db8::1]:80", "127.0.0.1:4873/private"}) {
    const auto destination = ParseDestination(text);
    ASSERT_TRUE(destination) << text;
    EXPECT_EQ(FormatDestination(*destination), text);
  }
  EXPECT_EQ(ParseDestination("A.Example.ORG.:443")->host, "a.example.org");
}

TEST(DestinationTest, PrivateIsNeverTheDefault) {
  EXPECT_FALSE(ParseDestination("localhost:80")->private_addresses);
  EXPECT_TRUE(ParseDestination("localhost:80/private")->private_addresses);
}

TEST(DestinationTest, OthersAreRefused) {
  for (const char* text :
       {"",        "a",     "a:",      ":1",         "a:0",
        "a:70000", "a:1x",  "a b:1",   "a/b:1",      "*:1",
        "::1:80",  "[::1]", "[::1:80", "a:1/public", "a:1/private/private",
        "u@a:1",   "a,b:1", ".a:1",    "a..b:1",     "a..:1",
        ".:1"}) {
    const auto destination = ParseDestination(text);
    ASSERT_FALSE(destination) << text;
    EXPECT_THAT(destination.error().message, HasSubstr("expected HOST:PORT"));
  }
}

TEST(DestinationTest, HostAndPortMustBothBeListed) {
  const std::vector<Destination> list = {*ParseDestination("a.org:443"),
                                         *ParseDestination("b.org:80")};
  EXPECT_EQ(FindDestination(list, "b.org", 80), 1u);
  EXPECT_EQ(FindDestination(list, "b.org", 443), std::nullopt);
  EXPECT_EQ(FindDestination(list, "x.a.org", 443), std::nullopt);
  EXPECT_EQ(FindDestination(list, "a.orga", 443), std::nullopt);
}

TEST(DestinationTest, TheCellsOwnAddressesAreReachedWithoutTheProxy) {
  EXPECT_THAT(ProxyVariables({}), Contains("http_proxy=http://127.0.0.1:3128"));
  EXPECT_THAT(ProxyVariables({}), Contains("no_proxy=localhost,127.0.0.1,::1"));
  const std::vector<Destination> local = {
      *ParseDestination("127.0.0.1:80/private")};
  EXPECT_THAT(ProxyVariables(local), Contains("no_proxy=localhost,::1"));
}

std::string RangeOf(const char* text) {
  sockaddr_in in = {};
  sockaddr_in6 in6 = {};
  if (::inet_pton(AF_INET, text, &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
    EXPECT_EQ(AddressText(reinterpret_cast<sockaddr*>(&in)), text);
    return std::string(RefusedRange(reinterpret_cast<sockaddr*>(&in)));
  }
  EXPECT_EQ(::inet_pton(AF_INET6, text, &in6.sin6_addr), 1) << text;
  in6.sin6_family = AF_INET6;
  return std::string(RefusedRange(reinterpret_cast<sockaddr*>(&in6)));
}

TEST(RefusedRangeTest, EdgesOfEveryRange) {
  for (const char* inside : {"0.0.0.0",
                             "10.0.0.0",
                             "10.255.255.255",
                             "100.64.0.0",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.255.255",
                             "169.254.169.254",
                             "172.16.0.0",
                             "172.31.255.255",
                             "192.168.0.0",
                             "192.168.255.255",
                             "198.18.0.1",
                             "224.0.0.1",
                             "239.255.255.255",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "fc00::1",
                             "fdff::1",
                             "fe80::1",
                             "febf::1",
                             "fec0::1",
                             "ff02::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.1.2.3",
                             "64:ff9b::7f00:1",
                             "64:ff9b::a9fe:a9fe",
                             "2002:7f00:1::",
                             "2002:c0a8:101::1",
                             "2001::1",
                             "::127.0.0.1",
                             "2001:db8::1"}) {
    EXPECT_NE(RangeOf(inside), "") << inside;
  }
  for (const char* outside :
       {"9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
        "1.1.1.1", "223.255.255.255", "2606:4700::1111", "2a00::1",
        "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"}) {
    EXPECT_EQ(RangeOf(outside), "") << outside;
  }
}

TEST(RefusedRangeTest, OtherFamiliesAreRefused) {
  sockaddr other = {};
  other.sa_family = AF_UNIX;
  EXPECT_NE(RefusedRange(&other), "");
}

}  // namespace
}  // namespace assay::sandbox
