// WebSocket and event steps against a service of Beast's, and against services
// that are no such thing.

#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <functional>
#include <thread>

#include "runner/steps/event_stream.h"
#include "tests/runner/steps/scripted_server.h"
#include "tests/runner/steps/step_fixture.h"

namespace assay::tests {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using testing::HasSubstr;
using Socket = beast::websocket::stream<tcp::socket>;

// Accepts one WebSocket and hands it to `talk`.
class SocketServer {
 public:
  explicit SocketServer(std::function<void(Socket&)> talk)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
        thread_([this, talk = std::move(talk)] {
          boost::system::error_code error;
          tcp::socket socket(io_);
          acceptor_.accept(socket, error);
          if (error) return;
          Socket stream(std::move(socket));
          stream.accept(error);
          if (!error) talk(stream);
        }) {}
  ~SocketServer() {
    // Nobody may have come.
    boost::system::error_code ignored;
    tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  std::uint16_t port() { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

std::string Read(Socket& socket) {
  beast::flat_buffer buffer;
  boost::system::error_code error;
  socket.read(buffer, error);
  return error ? "" : beast::buffers_to_string(buffer.data());
}

void Write(Socket& socket, const std::string& text) {
  boost::system::error_code ignored;
  socket.write(asio::buffer(text), ignored);
}

class StreamStepTest : public StepFixture {};

TEST_F(StreamStepTest, SendsAndPassesOverWhatItDoesNotWaitFor) {
  std::string first;
  std::string second;
  SocketServer server([&](Socket& socket) {
    first = Read(socket);
    Write(socket, R"({"type":"noise"})");
    Write(socket, R"({"type":"welcome","id":7})");
    second = Read(socket);
    boost::system::error_code ignored;
    socket.close(beast::websocket::close_reason(
                     static_cast<beast::websocket::close_code>(4001)),
                 ignored);
  });
  const auto outcome = RunSteps(server.port(), R"(
      - websocket: /ws?a=b
        exchange:
          - { json: { subscribe: orders } }
          - { expect: { json: { $.type: welcome } }, capture: { id: $.id } }
          - { send: "got {{id}}" }
          - { close: 4001 }
)");
  EXPECT_TRUE(outcome.passed()) << outcome.reason;
  EXPECT_EQ(first, R"({"subscribe":"orders"})");
  EXPECT_EQ(second, "got 7");
}

TEST_F(StreamStepTest, AMessageThatDoesNotComeTimesOutAndSaysWhatCame) {
  SocketServer server([](Socket& socket) {
    Write(socket, R"({"type":"noise"})");
    Read(socket);
  });
  const auto outcome = RunSteps(server.port(), R"(
      - websocket: /ws
        timeout: 300ms
        exchange: [ { expect: { json: { $.type: welcome } } } ]
)");
  EXPECT_EQ(outcome.verdict, v1::VERDICT_TIMED_OUT);
  EXPECT_THAT(outcome.reason, HasSubstr("one message came, the last"));
  EXPECT_THAT(outcome.reason, HasSubstr("noise"));
}

TEST_F(StreamStepTest, HostilePeersGetAVerdict) {
  {
    SocketServer flood([](Socket& socket) {
      boost::system::error_code error;
      while (!error) socket.ping({}, error);
    });
    EXPECT_EQ(RunSteps(flood.port(),
                       "      - { websocket: /, timeout: 300ms, exchange: [ { "
                       "expect: { body: x } } ] }\n")
                  .verdict,
              v1::VERDICT_TIMED_OUT);
  }
  SocketServer huge(
      [](Socket& socket) { Write(socket, std::string(1 << 20, 'x')); });
  EXPECT_THAT(RunSteps(huge.port(),
                       "      - { websocket: /, exchange: [ { expect: { body: "
                       "x } } ] }\n")
                  .reason,
              HasSubstr("over its limit"));
  ScriptedServer silent([](const std::string&, int) { return true; });
  EXPECT_EQ(RunSteps(silent.port(),
                     "      - { websocket: /, timeout: 200ms, exchange: [ { "
                     "close: 1000 } ] }\n")
                .verdict,
            v1::VERDICT_TIMED_OUT);
  ScriptedServer plain([](const std::string&, int fd) {
    return ScriptedServer::Write(
        fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_THAT(RunSteps(plain.port(),
                       "      - { websocket: /, exchange: [ { close: 1000 } ] "
                       "}\n")
                  .reason,
              HasSubstr("answered 404 and opened no WebSocket"));
}

constexpr const char* kEventsHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

TEST_F(StreamStepTest, EventsComeByNameBesideRequests) {
  std::atomic<int> stream{-1};
  ScriptedServer server([&](const std::string& request, int fd) {
    if (request.starts_with("GET /events")) {
      EXPECT_THAT(request, HasSubstr("text/event-stream"));
      ScriptedServer::Write(fd, std::string(kEventsHead) + ": hello\n\n");
      stream = fd;
      return true;
    }
    EXPECT_TRUE(request.starts_with("POST /orders"));
    ScriptedServer::Write(fd,
                          "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    ScriptedServer::Write(
        stream, "event: other\ndata: 1\n\nevent: created\ndata: {\"id\":\n");
    return ScriptedServer::Write(stream, "data: 9}\n\n");
  });
  const auto outcome = RunSteps(server.port(), R"(
      - events: /events
        exchange:
          - request: { post: /orders, json: {}, expect: { status: 201 } }
          - { event: created, expect: { json: { $.id: 9 } }, capture: { id: $.id } }
      - { wait: 1ms, title: "{{id}}" }
)");
  EXPECT_TRUE(outcome.passed()) << outcome.reason;
}

TEST_F(StreamStepTest, WhatIsNoStreamOfEventsIsSaid) {
  ScriptedServer json([](const std::string&, int fd) {
    return ScriptedServer::Write(
        fd,
        "HTTP/1.1 200 OK\r\nContent-Type: "
        "application/json\r\nContent-Length: 2\r\n\r\n{}");
  });
  const std::string step =
      "      - { events: /, timeout: 500ms, exchange: [ { expect: { body: x } "
      "} "
      "] }\n";
  EXPECT_THAT(RunSteps(json.port(), step).reason,
              HasSubstr("got 200 and application/json"));
  ScriptedServer endless([](const std::string&, int fd) {
    ScriptedServer::Write(fd, std::string(kEventsHead) + "data: ");
    while (ScriptedServer::Write(fd, std::string(4096, 'x'))) {
    }
    return false;
  });
  EXPECT_THAT(RunSteps(endless.port(), step).reason,
              HasSubstr("over its limit"));
  ScriptedServer ends([](const std::string&, int fd) {
    ScriptedServer::Write(fd, std::string(kEventsHead) + "data: y\n\n");
    return false;
  });
  EXPECT_THAT(RunSteps(ends.port(), step).reason,
              HasSubstr("closed the connection before"));
}

TEST(EventStreamTest, TakesEventsApartHoweverTheyArrive) {
  const std::string text =
      "\xef\xbb\xbf"
      "data: one\r\ndata: two\r\r\n: comment\nid: 4\nevent: x\ndata\n\nevent: "
      "lost\n\ndata:three\n\n";
  for (const std::size_t piece : {1UL, 2UL, 7UL, text.size()}) {
    steps::EventStream stream(1000);
    for (std::size_t i = 0; i < text.size(); i += piece) {
      ASSERT_TRUE(stream.Feed(std::string_view(text).substr(i, piece)));
    }
    auto event = stream.Take();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->name, "message");
    EXPECT_EQ(event->data, "one\ntwo");
    event = stream.Take();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->name, "x");
    EXPECT_EQ(event->data, "");
    event = stream.Take();
    ASSERT_TRUE(event.has_value());
    EXPECT_EQ(event->data, "three");
    EXPECT_FALSE(stream.Take().has_value());
  }
}

}  // namespace
}  // namespace assay::tests
