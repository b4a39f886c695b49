#include "services/gateway/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <thread>

#include "services/gateway/read_body.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/services/gateway/strand_thread.h"
#include "tests/testing/matchers.h"

namespace assay::gateway {
namespace {

using testing::BodyOf;
using testing::Exchange;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;
using testing::StatusOf;

constexpr const char* kHost = "Host: localhost\r\n";

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { Start({.address = "127.0.0.1:0"}); }
  ~HttpServerTest() override {
    strand_.Run([this] { server_.reset(); });
  }

  void Start(HttpOptions options) {
    strand_.Run([&] {
      server_ = *HttpServer::Listen(strand_.executor(), std::move(options));
      server_->Serve(
          [this](HttpExchange& exchange) { return Handle(exchange); });
    });
    port_ = strand_.Run([this] { return server_->port(); });
  }

  // Echoes what it understood, so that a test sees what the server saw.
  boost::asio::awaitable<void> Handle(HttpExchange& exchange) {
    ++handled_;
    const HttpRequest& request = exchange.request();
    if (request.path == "/unread") {
      co_await exchange.Respond({.status = 413, .body = "too large"});
      co_return;
    }
    if (request.path == "/silent") co_return;
    if (request.path == "/hold") {
      held_.set_value();
      static_cast<void>(co_await exchange.WaitForClose());
      closed_.set_value();
      co_return;
    }
    const auto body = co_await ReadBody(exchange, 1 << 20);
    if (!body) {
      co_await exchange.Respond({.status = 400, .body = body.error().message});
      co_return;
    }
    co_await exchange.StartResponse(200, {{"X-Path", request.path}});
    co_await exchange.Write(request.method + " " + request.path + "?" +
                            request.query + " [");
    co_await exchange.Write(*body);
    co_await exchange.Write("]");
    co_await exchange.Finish();
  }

  testing::StrandThread strand_;
  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
  std::atomic<int> handled_ = 0;
  std::promise<void> held_, closed_;
};

TEST_F(HttpServerTest, ServesSizedAndChunkedBodiesOnOneConnection) {
  RawClient client(port_);
  client.Send(std::string("POST /a?x=1 HTTP/1.1\r\n") + kHost +
              "Content-Length: 5\r\n\r\nhello");
  ASSERT_TRUE(client.ReadUntil("0\r\n\r\n"));
  EXPECT_EQ(BodyOf(client.received()), "POST /a?x=1 [hello]");
  client.Forget();
  client.Send(std::string("POST /b HTTP/1.1\r\n") + kHost +
              "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
              "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadAll()), "POST /b? [abcde]");
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(port_);
  client.Send(std::string("GET /1 HTTP/1.1\r\n") + kHost +
              "\r\nGET /2 HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n");
  const std::string all = client.ReadAll();
  EXPECT_LT(all.find("GET /1"), all.find("GET /2"));
  EXPECT_NE(all.find("GET /2"), std::string::npos);
}

TEST_F(HttpServerTest, OldClientsGetAnUnchunkedAnswer) {
  const std::string response = Exchange(port_, "GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(response.find("chunked"), std::string::npos);
  EXPECT_EQ(BodyOf(response), "GET /a? []");
}

TEST_F(HttpServerTest, AmbiguousRequestsReachNoHandler) {
  const std::string host(kHost);
  for (const std::string& request :
       {// Where does it end?
        "POST / HTTP/1.1\r\n" + host +
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host +
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
            "0\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host +
            "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST / HTTP/1.1\r\n" + host +
            "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x5\r\n\r\nhello",
        "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host +
            "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host +
            "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" + host +
            "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "0\r\n\r\n"),
        // For whom is it?
        "GET / HTTP/1.1\r\n" + host + "Host: other\r\n\r\n",
        std::string("GET / HTTP/1.1\r\n\r\n"),
        "GET http://other/ HTTP/1.1\r\n" + host + "\r\n",
        "OPTIONS * HTTP/1.1\r\n" + host + "\r\n",
        // What is it?
        "GET / HTTP/2.0\r\n" + host + "\r\n",
        "GET  / HTTP/1.1\r\n" + host + "\r\n",
        "GET / HTTP/1.1\r\n" + host + "Na me: x\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + "A\x01: x\r\n\r\n",
        "GET / HTTP/1.1\r\n" + host + std::string("A: x\0y\r\n\r\n", 10),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}) {
    const std::string response = Exchange(port_, request);
    EXPECT_EQ(StatusOf(response), 400) << request << response;
    EXPECT_THAT(response, HasSubstr("Connection: close")) << request;
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, LargeHeadIsRefused) {
  const std::string response =
      Exchange(port_, std::string("GET / HTTP/1.1\r\n") + kHost +
                          "A: " + std::string(20'000, 'a') + "\r\n\r\n");
  EXPECT_EQ(StatusOf(response), 431);
}

TEST_F(HttpServerTest, BrokenChunksAreAnErrorAndEndTheConnection) {
  for (const char* chunks :
       {"zz\r\n", "-1\r\n", "5\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\n"}) {
    const std::string response =
        Exchange(port_, std::string("POST / HTTP/1.1\r\n") + kHost +
                            "Transfer-Encoding: chunked\r\n\r\n" + chunks);
    EXPECT_EQ(StatusOf(response), 400) << chunks << response;
  }
}

TEST_F(HttpServerTest, AnswerBeforeTheEndOfABodyIsReadByItsClient) {
  RawClient client(port_);
  client.Send(std::string("POST /unread HTTP/1.1\r\n") + kHost +
              "Content-Length: 500000\r\n\r\n");
  client.Send(std::string(500'000, 'x'));
  EXPECT_EQ(StatusOf(client.ReadAll()), 413);
}

TEST_F(HttpServerTest, ContinueIsSentToWhoWaitsForIt) {
  RawClient client(port_);
  client.Send(std::string("POST /a HTTP/1.1\r\n") + kHost +
              "Expect: 100-continue\r\nConnection: close\r\n"
              "Content-Length: 2\r\n\r\n");
  ASSERT_TRUE(client.ReadUntil("100 Continue\r\n\r\n"));
  client.Forget();
  client.Send("ok");
  EXPECT_EQ(BodyOf(client.ReadAll()), "POST /a? [ok]");
}

TEST_F(HttpServerTest, HandlerThatForgetsToAnswerIsA500) {
  EXPECT_EQ(StatusOf(Exchange(port_, std::string("GET /silent HTTP/1.1\r\n") +
                                         kHost + "Connection: close\r\n\r\n")),
            500);
}

TEST_F(HttpServerTest, SlowHeadsAndBodiesAreGivenUp) {
  Start(
      {.address = "127.0.0.1:0", .io_timeout = std::chrono::milliseconds(50)});
  // Without the limit these would wait for a minute each.
  for (const std::string& request :
       {std::string("GET / HT"), std::string("POST / HTTP/1.1\r\n") + kHost +
                                     "Content-Length: 10\r\n\r\nabc"}) {
    RawClient client(port_);
    client.Send(request);
    const auto start = std::chrono::steady_clock::now();
    client.ReadAll(60);
    EXPECT_LT(std::chrono::steady_clock::now() - start,
              std::chrono::seconds(30));
  }
}

TEST_F(HttpServerTest, BodyThatTricklesIsGivenUp) {
  Start({.address = "127.0.0.1:0",
         .body_timeout = std::chrono::milliseconds(100)});
  RawClient client(port_);
  client.Send(std::string("POST / HTTP/1.1\r\n") + kHost +
              "Content-Length: 1000000\r\n\r\n");
  // There is never a long wait, and never an end.
  const std::jthread trickle([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && client.Send("x"))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  const auto start = std::chrono::steady_clock::now();
  client.ReadAll(20);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

TEST_F(HttpServerTest, HandlerLearnsThatItsClientLeft) {
  RawClient client(port_);
  client.Send(std::string("GET /hold HTTP/1.1\r\n") + kHost + "\r\n");
  held_.get_future().wait();
  client.Close();
  EXPECT_EQ(closed_.get_future().wait_for(std::chrono::seconds(10)),
            std::future_status::ready);
}

TEST_F(HttpServerTest, IdleConnectionMakesRoomAndBusyOnesDoNot) {
  Start({.address = "127.0.0.1:0", .max_connections = 2});
  RawClient busy(port_);
  busy.Send(std::string("GET /hold HTTP/1.1\r\n") + kHost + "\r\n");
  held_.get_future().wait();
  RawClient idle(port_);
  idle.Send(std::string("GET /a HTTP/1.1\r\n") + kHost + "\r\n");
  ASSERT_TRUE(idle.ReadUntil("0\r\n\r\n"));
  const std::string request =
      std::string("GET /b HTTP/1.1\r\n") + kHost + "Connection: close\r\n\r\n";
  EXPECT_EQ(BodyOf(Exchange(port_, request)), "GET /b? []");
  idle.Forget();
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_FALSE(busy.ReadUntil("HTTP", 0));
  EXPECT_TRUE(busy.Send("x"));
}

TEST_F(HttpServerTest, HandshakesThatTakeLongestMakeRoom) {
  // Without a certificate no handshake succeeds, which is not needed here.
  const auto tls = std::make_shared<boost::asio::ssl::context>(
      boost::asio::ssl::context::tls_server);
  Start({.address = "127.0.0.1:0",
         .tls = [tls] { return tls; },
         .max_handshakes = 2});
  RawClient first(port_), second(port_);
  RawClient third(port_);
  // It is closed long before its time is over; the others may go on.
  first.ReadAll(60);
  EXPECT_FALSE(second.ReadUntil("x", 0));
  EXPECT_TRUE(second.Send("x"));
  EXPECT_EQ(StatusOf(second.ReadAll()), 400);
  EXPECT_THAT(second.received(), HasSubstr("this port speaks TLS"));
}

TEST_F(HttpServerTest, HandshakeThatDoesNotGoOnIsGivenUp) {
  const auto tls = std::make_shared<boost::asio::ssl::context>(
      boost::asio::ssl::context::tls_server);
  Start({.address = "127.0.0.1:0",
         .tls = [tls] { return tls; },
         .handshake_timeout = std::chrono::milliseconds(50)});
  for (const char* begun : {"", "\x16", "\x16\x03\x01\x02"}) {
    RawClient client(port_);
    client.Send(begun);
    const auto start = std::chrono::steady_clock::now();
    client.ReadAll(60);
    EXPECT_LT(std::chrono::steady_clock::now() - start,
              std::chrono::seconds(30));
  }
}

TEST_F(HttpServerTest, DrainClosesIdleConnectionsAndThenTheRest) {
  RawClient idle(port_);
  RawClient busy(port_);
  idle.Send(std::string("GET /a HTTP/1.1\r\n") + kHost + "\r\n");
  ASSERT_TRUE(idle.ReadUntil("0\r\n\r\n"));
  busy.Send(std::string("GET /hold HTTP/1.1\r\n") + kHost + "\r\n");
  held_.get_future().wait();
  strand_.Await(server_->Drain(std::chrono::milliseconds(50)));
  idle.ReadAll();
  busy.ReadAll();
  EXPECT_THROW(RawClient late(port_), std::runtime_error);
}

TEST_F(HttpServerTest, SecondServerOnThePortIsToldSo) {
  const auto second = strand_.Run([&] {
    return HttpServer::Listen(
        strand_.executor(), {.address = "127.0.0.1:" + std::to_string(port_)});
  });
  EXPECT_THAT(second, FailsWith(Code::kUnavailable, "--web"));
  const auto nonsense = strand_.Run([&] {
    return HttpServer::Listen(strand_.executor(), {.address = "here"});
  });
  EXPECT_THAT(nonsense, FailsWith(Code::kInvalidArgument, "\"here\""));
}

}  // namespace
}  // namespace assay::gateway
