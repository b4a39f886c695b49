#include "services/gateway/connect_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/v1/run_service.pb.h"
#include "services/gateway/connect_codec.h"
#include "services/gateway/http_server.h"
#include "services/gateway/web_routes.h"
#include "tests/services/gateway/fake_methods.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/services/gateway/strand_thread.h"

namespace assay::gateway {
namespace {

using testing::BodyOf;
using testing::Exchange;
using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;
using testing::StatusOf;

constexpr const char* kGetRun = "/assay.v1.RunService/GetRun";
constexpr const char* kWatchRun = "/assay.v1.RunService/WatchRun";
constexpr const char* kJson = "application/json";
constexpr const char* kProto = "application/proto";
constexpr const char* kConnectProto = "application/connect+proto";
constexpr const char* kConnectJson = "application/connect+json";
constexpr const char* kCandidate = "Authorization: Bearer candidate\r\n";

class ConnectHandlerTest : public ::testing::Test {
 protected:
  ConnectHandlerTest() {
    server_ = strand_.Run([this] {
      auto server =
          *HttpServer::Listen(strand_.executor(), {.address = "127.0.0.1:0"});
      server->Serve(
          [this](HttpExchange& exchange) { return routes_.Handle(exchange); });
      return server;
    });
    port_ = strand_.Run([this] { return server_->port(); });
  }
  ~ConnectHandlerTest() override {
    strand_.Run([this] { server_.reset(); });
    strand_.Settle();
  }

  std::string Call(std::string_view body, std::string_view fields = kCandidate,
                   const char* path = kGetRun, const char* type = kJson) {
    return Exchange(port_, testing::Post(path, type, body, fields));
  }
  std::string Watch(const std::string& json,
                    std::string_view fields = kCandidate) {
    return Call(ConnectFrame(json), fields, kWatchRun, kConnectJson);
  }

  testing::StrandThread strand_;
  FakeMethods methods_{strand_.executor()};
  MethodGate gate_{methods_.registry(), FakeMethods::Authenticate};
  ConnectHandler connect_{strand_.executor(), gate_};
  WebRoutes routes_{connect_, nullptr, {}, "https://assay.example"};
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
};

TEST_F(ConnectHandlerTest, AnswersAUnaryCall) {
  const std::string response =
      Call(R"({"name":"runs/a"})",
           "Authorization: Bearer candidate\r\nConnect-Protocol-Version: 1\r\n"
           "Connect-Timeout-Ms: 5000\r\ntraceparent: 00-ab\r\n");
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_EQ(BodyOf(response),
            R"({"run":{"name":"runs/a","attempt":"c","state":"STATE_QUEUED",)"
            R"("epoch":"7","traceId":"00-ab"}})");
}

TEST_F(ConnectHandlerTest, SpeaksBinaryToWhoeverAsksInIt) {
  v1::GetRunRequest request;
  request.set_name("runs/a");
  const std::string response =
      Call(request.SerializeAsString(), kCandidate, kGetRun, kProto);
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_THAT(response, HasSubstr("Content-Type: application/proto"));
  v1::GetRunResponse run;
  ASSERT_TRUE(run.ParseFromString(BodyOf(response)));
  EXPECT_EQ(run.run().name(), "runs/a");

  v1::WatchRunRequest watch;
  watch.set_name("runs/a");
  const std::string stream = Call(ConnectFrame(watch.SerializeAsString()),
                                  kCandidate, kWatchRun, kConnectProto);
  EXPECT_THAT(stream, HasSubstr("application/connect+proto"));
  // How it ended is JSON in either codec.
  EXPECT_TRUE(BodyOf(stream).ends_with(ConnectEndFrame({})));
  EXPECT_EQ(StatusOf(Call("\xff", kCandidate, kGetRun, kProto)), 400);
}

TEST_F(ConnectHandlerTest, FailuresAreJsonWithTheirStatus) {
  const std::string missing = Call(R"({"name":"runs/none"})");
  EXPECT_EQ(StatusOf(missing), 404);
  EXPECT_EQ(BodyOf(missing), R"({"code":"not_found","message":"no run none"})");
  EXPECT_EQ(StatusOf(Call("{")), 400);
  EXPECT_EQ(StatusOf(Call("{}", "")), 401);
  const std::string role = Call("{}", "Authorization: Bearer worker\r\n");
  EXPECT_EQ(StatusOf(role), 403);
  EXPECT_THAT(BodyOf(role), HasSubstr("role is worker"));
}

TEST_F(ConnectHandlerTest, ThrownExceptionTellsNothing) {
  const std::string response = Call(R"({"name":"runs/throw"})");
  EXPECT_EQ(StatusOf(response), 500);
  EXPECT_EQ(response.find("secret bug"), std::string::npos);
}

TEST_F(ConnectHandlerTest, MethodForAnyoneNeedsNoToken) {
  const std::string response = Call(
      R"({"secret":"s"})", "", "/assay.v1.InvitationService/AcceptInvitation");
  EXPECT_EQ(BodyOf(response), R"({"token":"for s"})");
}

TEST_F(ConnectHandlerTest, RefusesOtherVersionsEncodingsTypesAndMethods) {
  const auto with = [this](const char* field) {
    return StatusOf(
        Call(R"({"name":"runs/a"})", std::string(kCandidate) + field));
  };
  EXPECT_EQ(with("Connect-Protocol-Version: 2\r\n"), 400);
  EXPECT_EQ(with("Content-Encoding: gzip\r\n"), 501);
  EXPECT_EQ(with("Connect-Timeout-Ms: soon\r\n"), 400);
  EXPECT_EQ(StatusOf(Call("{}", kCandidate, kGetRun, "text/plain")), 415);
  EXPECT_EQ(StatusOf(Call("{}", kCandidate, kGetRun, kConnectJson)), 415);
  EXPECT_EQ(StatusOf(Call("{}", kCandidate, kWatchRun, kJson)), 415);
  EXPECT_EQ(StatusOf(Exchange(port_, "GET " + std::string(kGetRun) +
                                         " HTTP/1.1\r\nHost: x\r\n"
                                         "Connection: close\r\n\r\n")),
            405);
  EXPECT_EQ(StatusOf(Call("{}", kCandidate, "/assay.v1.RunService/Drop")), 404);
}

TEST_F(ConnectHandlerTest, PagesOfOtherSitesMayNotCall) {
  const auto from = [this](const char* origin) {
    return StatusOf(
        Call(R"({"name":"runs/a"})",
             std::string(kCandidate) + "Origin: " + origin + "\r\n"));
  };
  EXPECT_EQ(from("http://localhost"), 200);
  EXPECT_EQ(from("https://assay.example"), 200);
  EXPECT_EQ(from("http://evil.example"), 403);
  EXPECT_EQ(from("http://localhost.evil.example"), 403);
  EXPECT_EQ(from("null"), 403);
}

TEST_F(ConnectHandlerTest, UnaryTimeoutEndsTheWait) {
  const std::string response =
      Call(R"({"name":"runs/slow"})",
           std::string(kCandidate) + "Connect-Timeout-Ms: 20\r\n");
  EXPECT_EQ(StatusOf(response), 504);
  EXPECT_THAT(BodyOf(response), HasSubstr("deadline_exceeded"));
}

TEST_F(ConnectHandlerTest, BodyOverTheLimitIsRefusedUnread) {
  RawClient client(port_);
  client.Send("POST " + std::string(kGetRun) +
              " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
              kCandidate + "Content-Length: 99999999999\r\n\r\n");
  ASSERT_TRUE(client.ReadUntil("resource_exhausted"));
  EXPECT_EQ(StatusOf(client.received()), 429);
}

TEST_F(ConnectHandlerTest, StreamEndsWithAFrameThatSaysHow) {
  const std::string response =
      Watch(R"({"name":"runs/a","afterSequence":"3"})");
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_THAT(response, HasSubstr("application/connect+json"));
  const std::string body = BodyOf(response);
  EXPECT_THAT(body, HasSubstr("\"snapshotSequence\":\"2\""));
  EXPECT_TRUE(body.ends_with(ConnectEndFrame({})));
}

TEST_F(ConnectHandlerTest, StreamErrorsComeInTheLastFrameWithStatus200) {
  const std::string missing = Watch(R"({"name":"runs/none"})");
  EXPECT_EQ(StatusOf(missing), 200);
  EXPECT_EQ(BodyOf(missing), ConnectEndFrame(NotFound("no run none")));
  EXPECT_THAT(BodyOf(Watch("{}", "")), HasSubstr("unauthenticated"));
  EXPECT_THAT(BodyOf(Call("junk", kCandidate, kWatchRun, kConnectJson)),
              HasSubstr("invalid_argument"));
  EXPECT_THAT(
      BodyOf(Watch(R"({"name":"runs/hang"})",
                   std::string(kCandidate) + "Connect-Timeout-Ms: 20\r\n")),
      HasSubstr("deadline_exceeded"));
}

TEST_F(ConnectHandlerTest, ClientThatLeavesEndsTheHandler) {
  RawClient client(port_);
  client.Send(testing::Post(kWatchRun, kConnectJson,
                            ConnectFrame(R"({"name":"runs/hang"})"),
                            kCandidate));
  ASSERT_TRUE(client.ReadUntil("\r\n\r\n"));
  auto ended = methods_.watch_ended.get_future();
  client.Close();
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
}

TEST_F(ConnectHandlerTest, SlowReaderHoldsTheHandlerBack) {
  RawClient client(port_);
  client.Send(testing::Post(
      kWatchRun, kConnectJson,
      ConnectFrame(R"({"name":"runs/a","afterSequence":"1000000"})"),
      kCandidate));
  ASSERT_TRUE(client.ReadUntil("snapshotSequence"));
  auto ended = methods_.watch_ended.get_future();
  client.Close();
  // A gigabyte that nobody read: the handler has learnt it by a failed write.
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
}

}  // namespace
}  // namespace assay::gateway
