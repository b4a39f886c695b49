#include "services/gateway/web_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "services/gateway/http_server.h"
#include "tests/services/gateway/fake_methods.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/services/gateway/strand_thread.h"

namespace assay::gateway {
namespace {

using testing::BodyOf;
using testing::Exchange;
using ::testing::HasSubstr;
using testing::StatusOf;

constexpr std::array kAssets{
    Asset{.path = "/assets/app-1.js",
          .content_type = "text/javascript; charset=utf-8",
          .etag = "\"j1\"",
          .bytes = "run()",
          .immutable = true,
          .gzip = "compressed"},
    Asset{.path = "/index.html",
          .content_type = "text/html; charset=utf-8",
          .etag = "\"i1\"",
          .bytes = "<p>page</p>"}};

boost::asio::awaitable<void> Git(HttpExchange& exchange) {
  co_await exchange.Respond({.body = "git " + exchange.request().path});
}

class WebRoutesTest : public ::testing::Test {
 protected:
  WebRoutesTest() {
    server_ = strand_.Run([this] {
      auto server = *HttpServer::Listen(
          strand_.executor(),
          {.address = "127.0.0.1:0", .fields = SecurityFields()});
      server->Serve(
          [this](HttpExchange& exchange) { return routes_.Handle(exchange); });
      return server;
    });
    port_ = strand_.Run([this] { return server_->port(); });
  }
  ~WebRoutesTest() override {
    strand_.Run([this] { server_.reset(); });
  }

  std::string Get(const std::string& path, const std::string& fields = "",
                  const std::string& method = "GET") {
    return Exchange(port_, method + " " + path +
                               " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                               fields + "\r\n");
  }

  testing::StrandThread strand_;
  FakeMethods methods_{strand_.executor()};
  MethodGate gate_{methods_.registry(), FakeMethods::Authenticate};
  ConnectHandler connect_{strand_.executor(), gate_};
  WebRoutes routes_{connect_, Git, kAssets, ""};
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(WebRoutesTest, EveryAnswerForbidsFramesSniffingAndInlineScript) {
  for (const char* path : {"/", "/healthz", "/gone.js", "/git/x"}) {
    const std::string response = Get(path);
    EXPECT_THAT(response, HasSubstr("script-src 'self';")) << path;
    EXPECT_EQ(response.find("unsafe-inline"), std::string::npos);
    EXPECT_THAT(response, HasSubstr("X-Content-Type-Options: nosniff"));
    EXPECT_THAT(response, HasSubstr("X-Frame-Options: DENY"));
    EXPECT_EQ(response.find("Access-Control-Allow"), std::string::npos);
  }
}

TEST_F(WebRoutesTest, PagesGetTheIndexAndFilesThemselves) {
  EXPECT_EQ(BodyOf(Get("/")), "<p>page</p>");
  EXPECT_EQ(BodyOf(Get("/runs/run_x?tab=logs")), "<p>page</p>");
  const std::string script = Get("/assets/app-1.js");
  EXPECT_EQ(BodyOf(script), "run()");
  EXPECT_THAT(script, HasSubstr("immutable"));
  EXPECT_THAT(script, HasSubstr("Content-Type: text/javascript"));
  EXPECT_EQ(StatusOf(Get("/assets/app-2.js")), 404);
  EXPECT_EQ(StatusOf(Get("/../../etc/passwd.txt")), 404);
}

TEST_F(WebRoutesTest, UnchangedFilesAreNotSentAgain) {
  const std::string response = Get("/", "If-None-Match: \"i1\"\r\n");
  EXPECT_EQ(StatusOf(response), 304);
  EXPECT_EQ(BodyOf(response), "");
  EXPECT_EQ(StatusOf(Get("/", "If-None-Match: \"i0\"\r\n")), 200);
}

TEST_F(WebRoutesTest, SendsCompressedFilesToThoseWhoTakeThem) {
  for (const char* accepted : {"gzip", "br, gzip;q=0.5, *;q=0", "deflate,gzip"})
    EXPECT_EQ(BodyOf(Get("/assets/app-1.js",
                         std::string("Accept-Encoding: ") + accepted + "\r\n")),
              "compressed")
        << accepted;
  for (const char* refused : {"br", "gzip;q=0", "gzip; q=0.0", "gzipped", ""})
    EXPECT_EQ(BodyOf(Get("/assets/app-1.js",
                         std::string("Accept-Encoding: ") + refused + "\r\n")),
              "run()")
        << refused;
  // There is no compressed form of this one.
  EXPECT_EQ(BodyOf(Get("/", "Accept-Encoding: gzip\r\n")), "<p>page</p>");
}

TEST_F(WebRoutesTest, CompressedFilesHaveATagOfTheirOwn) {
  const std::string script =
      Get("/assets/app-1.js", "Accept-Encoding: gzip\r\n");
  EXPECT_THAT(script, HasSubstr("ETag: \"j1-gzip\""));
  EXPECT_THAT(script, HasSubstr("Content-Encoding: gzip"));
  EXPECT_THAT(script, HasSubstr("Vary: Accept-Encoding"));
  EXPECT_EQ(StatusOf(Get("/assets/app-1.js",
                         "Accept-Encoding: gzip\r\n"
                         "If-None-Match: \"j1-gzip\"\r\n")),
            304);
  EXPECT_EQ(StatusOf(Get("/assets/app-1.js", "If-None-Match: \"j1-gzip\"\r\n")),
            200);
}

TEST_F(WebRoutesTest, HeadHasNoBody) {
  const std::string response = Get("/", "", "HEAD");
  EXPECT_THAT(response, HasSubstr("Content-Length: 11"));
  EXPECT_EQ(BodyOf(response), "");
}

TEST_F(WebRoutesTest, SendsGitToGitAndKnowsItsHealth) {
  EXPECT_EQ(BodyOf(Get("/git/rep_x.git/info/refs")),
            "git /git/rep_x.git/info/refs");
  EXPECT_EQ(BodyOf(Get("/healthz")), "ok\n");
  EXPECT_EQ(StatusOf(Get("/healthz", "", "DELETE")), 405);
}

TEST_F(WebRoutesTest, OtherMethodsFindNothing) {
  EXPECT_EQ(StatusOf(Get("/", "", "DELETE")), 404);
  EXPECT_EQ(StatusOf(Get("/", "", "OPTIONS")), 404);
  EXPECT_EQ(StatusOf(Get("/assay.v1.RunService/GetRun", "", "OPTIONS")), 405);
}

}  // namespace
}  // namespace assay::gateway
