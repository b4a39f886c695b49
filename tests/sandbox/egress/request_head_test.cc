#include "sandbox/egress/request_head.h"

#include <gmock/gmock.h>

namespace assay::sandbox {
namespace {

using ::testing::HasSubstr;

ProxyRequest Good(std::string_view text) {
  const ParsedHead parsed = ParseProxyRequest(text);
  const auto* request = std::get_if<ProxyRequest>(&parsed);
  EXPECT_NE(request, nullptr) << text;
  return request != nullptr ? *request : ProxyRequest{};
}
// The status of the refusal; 0 if it is none.
int Refusal(std::string_view text) {
  const ParsedHead parsed = ParseProxyRequest(text);
  const auto* bad = std::get_if<BadRequest>(&parsed);
  return bad != nullptr ? bad->status : 0;
}

TEST(ParseProxyRequestTest, ATunnelNamesItsHostAndPort) {
  const std::string_view text =
      "CONNECT Registry.Example.org.:443 HTTP/1.1\r\nHost: x\r\n\r\nrest";
  const ProxyRequest request = Good(text);
  EXPECT_TRUE(request.tunnel);
  EXPECT_EQ(request.host, "registry.example.org");
  EXPECT_EQ(request.port, 443);
  EXPECT_EQ(request.head, "");
  EXPECT_EQ(text.substr(request.size), "rest");
}

TEST(ParseProxyRequestTest, AddressesOfBothKindsAreHosts) {
  EXPECT_EQ(Good("CONNECT 192.0.2.1:1 HTTP/1.0\r\n\r\n").host, "192.0.2.1");
  EXPECT_EQ(Good("CONNECT [2001:DB8::1]:8 HTTP/1.1\r\n\r\n").host,
            "2001:db8::1");
  EXPECT_EQ(Good("GET http://[::1]/x HTTP/1.1\r\n\r\n").port, 80);
}

TEST(ParseProxyRequestTest, APlainRequestGoesOnInTheServersForm) {
  const ProxyRequest request = Good(
      "GET http://Example.org:8080/a?b=c#d HTTP/1.1\r\nHost: other.org\r\n"
      "Accept: */*\r\nConnection: keep-alive, x\r\nProxy-Authorization: s\r\n"
      "Content-Length: 3\r\n\r\nabc");
  EXPECT_FALSE(request.tunnel);
  EXPECT_EQ(request.host, "example.org");
  EXPECT_EQ(request.port, 8080);
  EXPECT_EQ(request.head,
            "GET /a?b=c HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\n"
            "Content-Length: 3\r\nConnection: close\r\n\r\n");
}

TEST(ParseProxyRequestTest, APathIsAddedWhereThereIsNone) {
  EXPECT_THAT(Good("GET http://a.org HTTP/1.1\r\n\r\n").head,
              HasSubstr("GET / HTTP/1.1\r\nHost: a.org\r\n"));
  EXPECT_THAT(Good("GET http://a.org?q HTTP/1.1\r\n\r\n").head,
              HasSubstr("GET /?q HTTP/1.1"));
}

TEST(ParseProxyRequestTest, EveryPrefixAsksForMore) {
  const std::string head = "CONNECT a.org:443 HTTP/1.1\r\nA: b\r\n\r\n";
  for (std::size_t i = 0; i < head.size(); ++i) {
    EXPECT_TRUE(std::holds_alternative<MoreNeeded>(
        ParseProxyRequest(std::string_view(head).substr(0, i))))
        << i;
  }
}

TEST(ParseProxyRequestTest, WhatTwoReadersCouldTakeDifferentlyIsRefused) {
  for (const std::string_view bad : {
           "\r\n\r\n",
           "CONNECT a.org HTTP/1.1\r\n\r\n",
           "CONNECT a.org:0 HTTP/1.1\r\n\r\n",
           "CONNECT a.org:65536 HTTP/1.1\r\n\r\n",
           "CONNECT a.org:44x HTTP/1.1\r\n\r\n",
           "CONNECT a.org:443  HTTP/1.1\r\n\r\n",
           "CONNECT\ta.org:443 HTTP/1.1\r\n\r\n",
           "CONNECT a.org:443 HTTP/2\r\n\r\n",
           "CONNECT user@a.org:443 HTTP/1.1\r\n\r\n",
           "CONNECT a.org:443@b.org:443 HTTP/1.1\r\n\r\n",
           "CONNECT [::1:443 HTTP/1.1\r\n\r\n",
           "CONNECT [::1%eth0]:443 HTTP/1.1\r\n\r\n",
           "CONNECT http://a.org:443 HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a.org\r\n\r\n",
           "GET https://a.org/ HTTP/1.1\r\n\r\n",
           "GET HTTP://a.org/ HTTP/1.1\r\n\r\n",
           "GET http:///x HTTP/1.1\r\n\r\n",
           "GET http://u:p@a.org/ HTTP/1.1\r\n\r\n",
           "GET http://a.org\\@b.org/ HTTP/1.1\r\n\r\n",
           "GET http://a.org/ HTTP/1.1\r\nA: b\nB: c\r\n\r\n",
           "GET http://a.org/ HTTP/1.1\r\n folded: x\r\n\r\n",
           "GET http://a.org/ HTTP/1.1\r\nA : b\r\n\r\n",
           "GET http://a.org/ HTTP/1.1\r\nA\r\n\r\n",
           "GET http://a.org/ HTTP/1.1\r\nContent-Length: 1\r\n"
           "Content-Length: 2\r\n\r\n",
           "GET http://a.org/ HTTP/1.1\r\nContent-Length: 1\r\n"
           "Transfer-Encoding: chunked\r\n\r\n",
       }) {
    EXPECT_EQ(Refusal(bad), 400) << bad;
  }
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(Refusal("GET http://a.org/ HTTP/1.1\r\nA: \0\r\n\r\n"sv), 400);
  EXPECT_EQ(Refusal("GET http://a.org/\0 HTTP/1.1\r\n\r\n"sv), 400);
}

TEST(ParseProxyRequestTest, HeadsAreBounded) {
  EXPECT_EQ(Refusal(std::string(kMostHeadBytes, 'x')), 431);
  std::string many = "GET http://a.org/ HTTP/1.1\r\n";
  for (int i = 0; i < 201; ++i) many += "a: b\r\n";
  EXPECT_EQ(Refusal(many + "\r\n"), 400);
}

}  // namespace
}  // namespace assay::sandbox
