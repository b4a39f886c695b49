#include "runner/wires/http_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <string>
#include <utility>
#include <vector>

namespace assay::wires {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kAdded =
    "traceparent: 00-11111111111111111111111111111111-2222222222222222-01\r\n";

class Recorder final : public HttpEvents {
 public:
  void OnRequest(HttpExchange& exchange) override {
    exchange.span = {std::string(16, '\x11'), std::string(8, '\x22')};
  }
  void OnExchange(const HttpExchange& exchange) override {
    exchanges.push_back(exchange);
    told.push_back(exchange.method + " " + exchange.target + " " +
                   std::to_string(exchange.status) + " " +
                   exchange.request_body.text + ">" +
                   exchange.response_body.text);
  }
  void OnFellBack(const std::string& reason) override {
    fallbacks.push_back(reason);
  }
  std::vector<HttpExchange> exchanges;
  std::vector<std::string> told;
  std::vector<std::string> fallbacks;
};

// A connection whose bytes come in pieces of `size`.
struct Wire {
  explicit Wire(std::size_t size = 100'000) : size(size) {}

  void Client(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
      passed += session.OnClient(bytes.substr(0, size), {++clock, 0});
    }
  }
  void Server(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
      session.OnServer(bytes.substr(0, size), {++clock, 0});
    }
  }
  void Close() { session.OnClose({++clock, 0}); }

  const std::size_t size;
  Recorder seen;
  HttpSession session{seen};
  std::string passed;
  std::uint64_t clock = 0;
};

// The same script whole, in pieces of 7 bytes, and byte by byte.
class HttpSessionTest : public testing::TestWithParam<std::size_t> {
 protected:
  Wire wire_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Pieces, HttpSessionTest,
                         testing::Values(100'000, 7, 1));

TEST_P(HttpSessionTest, PipelinedRequestsMeetTheirAnswers) {
  wire_.Client(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /b?q=1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
      "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
      "HEAD /d HTTP/1.1\r\n\r\n");
  wire_.Server(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"
      "Transfer-Encoding: chunked\r\n\r\n4\r\nmade\r\n0\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  EXPECT_THAT(wire_.seen.told,
              ElementsAre("GET /a 200 >ok", "POST /b?q=1 201 hello>made",
                          "PUT /c 204 abcde>", "HEAD /d 200 >"));
  EXPECT_THAT(wire_.seen.fallbacks, IsEmpty());
  EXPECT_LT(wire_.seen.exchanges[0].begin.nanos,
            wire_.seen.exchanges[0].first_byte_nanos);
}

TEST_P(HttpSessionTest, TraceparentIsAddedOnlyWhereThereIsNone) {
  const std::string own =
      "traceparent: "
      "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01\r\n";
  wire_.Client("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n" + own +
               "\r\nGET /c HTTP/1.1\r\nA: 1\n\n");
  EXPECT_EQ(wire_.passed, "GET /a HTTP/1.1\r\nHost: x\r\n" +
                              std::string(kAdded) + "\r\nGET /b HTTP/1.1\r\n" +
                              own + "\r\nGET /c HTTP/1.1\r\nA: 1\n" + kAdded +
                              "\n");
}

TEST_P(HttpSessionTest, ABodyMayLastUntilTheConnectionDoes) {
  wire_.Client("GET / HTTP/1.0\r\n\r\n");
  wire_.Server("HTTP/1.0 200 OK\r\n\r\nall of it");
  EXPECT_THAT(wire_.seen.told, IsEmpty());
  wire_.Close();
  EXPECT_THAT(wire_.seen.told, ElementsAre("GET / 200 >all of it"));
  EXPECT_EQ(wire_.seen.exchanges[0].problem, "");
}

TEST_P(HttpSessionTest, AnAnswerThatIsCutOffSaysSo) {
  wire_.Client("GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  wire_.Server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  wire_.Close();
  ASSERT_THAT(wire_.seen.exchanges, SizeIs(2));
  EXPECT_THAT(wire_.seen.exchanges[0].problem, HasSubstr("ended before"));
  EXPECT_THAT(wire_.seen.exchanges[1].problem, HasSubstr("ended before"));
}

TEST_P(HttpSessionTest, AWebSocketIsFramedAndPassesUntouched) {
  const std::string frames = std::string("\x81\x83mask\x01\x02\x03", 9) +
                             std::string("\x82\xfe\x01\x00mask", 8) +
                             std::string(256, 'x') +
                             std::string("\x88\x80mask", 6);
  wire_.Client("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
  wire_.Server(
      "HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\n\r\n\x81\x02hi");
  const std::size_t before = wire_.passed.size();
  wire_.Client(frames);
  EXPECT_EQ(wire_.passed.substr(before), frames);
  wire_.Close();
  ASSERT_THAT(wire_.seen.exchanges, SizeIs(1));
  const HttpExchange& socket = wire_.seen.exchanges[0];
  EXPECT_EQ(socket.upgraded, "websocket");
  ASSERT_THAT(socket.frames, SizeIs(4));
  EXPECT_FALSE(socket.frames[0].from_client);
  EXPECT_EQ(socket.frames[1].bytes, 3u);
  EXPECT_EQ(socket.frames[2].bytes, 256u);
  EXPECT_EQ(socket.frames[3].opcode, 8);
  EXPECT_THAT(wire_.seen.fallbacks, IsEmpty());
}

// Each passes byte for byte, and the run is told why nothing is seen.
TEST_P(HttpSessionTest, WhatIsNotHttpPassesUntouchedAndIsNamed) {
  const std::vector<std::pair<std::string, std::string>> scripts = {
      {std::string("\x16\x03\x01\x02", 4), "not HTTP"},
      {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       "both a length"},
      {"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: "
       "6\r\n\r\nabcdef",
       "several lengths"},
      {"GET / HTTP/9.9\r\n\r\n", "not HTTP/1.1"},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", "malformed"},
      {"GET / HTTP/1.1\r\nx: " + std::string(70'000, 'x') + "\r\n\r\n",
       "too long"},
      {"PRI * HTTP/2.0\r\n\r\nNO\r\n\r\n", "not HTTP/2"},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"},
  };
  for (const auto& [script, reason] : scripts) {
    Wire wire(GetParam());
    wire.Client(script);
    std::string passed = wire.passed;
    if (const auto at = passed.find(kAdded); at != std::string::npos) {
      passed.erase(at, std::string(kAdded).size());
    }
    EXPECT_EQ(passed, script);
    ASSERT_THAT(wire.seen.fallbacks, SizeIs(1)) << script.substr(0, 80);
    EXPECT_THAT(wire.seen.fallbacks[0], HasSubstr(reason));
  }
}

TEST(HttpSession, BodiesAreCountedWholeAndKeptInPart) {
  Wire wire;
  wire.Client("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" +
              std::string(100'000, 'x'));
  wire.Server("HTTP/1.1 204 No\r\n\r\n");
  ASSERT_THAT(wire.seen.exchanges, SizeIs(1));
  EXPECT_EQ(wire.seen.exchanges[0].request_body.bytes, 100'000);
  EXPECT_THAT(wire.seen.exchanges[0].request_body.text,
              SizeIs(HttpExchange::kBodyBytes));
}

TEST(HttpSession, AServerThatAnswersUnaskedEndsTheReading) {
  Wire wire;
  wire.Client("GET / HTTP/1.1\r\n\r\n");
  wire.Server("HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
  EXPECT_THAT(wire.seen.told, ElementsAre("GET / 204 >"));
  EXPECT_THAT(wire.seen.fallbacks, ElementsAre(HasSubstr("nothing had asked")));
}

// nghttp2 on both sides, the session in between.
class Http2Test : public testing::TestWithParam<std::size_t> {
 protected:
  struct Server {
    std::vector<std::string> traceparents;
    std::vector<std::string> paths;
    std::string data;
  };

  static nghttp2_nv Field(const char* name, const char* value) {
    return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name)),
            reinterpret_cast<std::uint8_t*>(const_cast<char*>(value)),
            strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
  }

  void SetUp() override {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_client_new(&client_, callbacks, nullptr);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
           std::size_t name_size, const std::uint8_t* value,
           std::size_t value_size, std::uint8_t, void* user) {
          auto& server = *static_cast<Server*>(user);
          const std::string key(reinterpret_cast<const char*>(name), name_size);
          const std::string text(reinterpret_cast<const char*>(value),
                                 value_size);
          if (key == "traceparent") server.traceparents.push_back(text);
          if (key == ":path") server.paths.push_back(text);
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t,
                      const std::uint8_t* data, std::size_t size, void* user) {
          static_cast<Server*>(user)->data.append(
              reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_server_new(&server_, callbacks, &got_);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry table{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE,
                                       16'384};
    nghttp2_submit_settings(client_, NGHTTP2_FLAG_NONE, nullptr, 0);
    nghttp2_submit_settings(server_, NGHTTP2_FLAG_NONE, &table, 1);
  }
  void TearDown() override {
    nghttp2_session_del(client_);
    nghttp2_session_del(server_);
  }

  static std::string Take(nghttp2_session* session) {
    std::string out;
    const std::uint8_t* data = nullptr;
    for (ssize_t size = 0;
         (size = nghttp2_session_mem_send(session, &data)) > 0;) {
      out.append(reinterpret_cast<const char*>(data),
                 static_cast<std::size_t>(size));
    }
    return out;
  }
  static void Give(nghttp2_session* session, const std::string& bytes) {
    EXPECT_EQ(nghttp2_session_mem_recv(
                  session, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                  bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }
  void Exchange() {
    for (int i = 0; i < 4; ++i) {
      wire_.passed.clear();
      wire_.Client(Take(client_));
      Give(server_, wire_.passed);
      const std::string answer = Take(server_);
      wire_.Server(answer);
      Give(client_, answer);
    }
  }
  std::int32_t Request(const char* path, const char* traceparent = nullptr) {
    std::vector<nghttp2_nv> fields = {
        Field(":method", "POST"), Field(":scheme", "http"),
        Field(":authority", "x"), Field(":path", path),
        Field("content-type", "application/grpc")};
    if (traceparent != nullptr) {
      fields.push_back(Field("traceparent", traceparent));
    }
    return nghttp2_submit_request(client_, nullptr, fields.data(),
                                  fields.size(), nullptr, nullptr);
  }
  void Answer(std::int32_t stream, const char* grpc_status) {
    const nghttp2_nv fields[] = {Field(":status", "200"),
                                 Field("grpc-status", grpc_status)};
    nghttp2_submit_response(server_, stream, fields, 2, nullptr);
  }

  Wire wire_{GetParam()};
  nghttp2_session* client_ = nullptr;
  nghttp2_session* server_ = nullptr;
  Server got_;
};
INSTANTIATE_TEST_SUITE_P(Pieces, Http2Test, testing::Values(100'000, 7, 1));

TEST_P(Http2Test, StreamsBecomeExchangesAndTheServerSeesATraceparent) {
  const char* own = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";
  const std::int32_t first = Request("/shop.Orders/Get");
  const std::int32_t second = Request("/shop.Orders/Get");
  const std::int32_t third = Request("/shop.Orders/Put", own);
  Exchange();
  EXPECT_THAT(got_.paths, ElementsAre("/shop.Orders/Get", "/shop.Orders/Get",
                                      "/shop.Orders/Put"));
  const std::string added = std::string(kAdded).substr(13, 55);
  EXPECT_THAT(got_.traceparents, ElementsAre(added, added, own));
  Answer(second, "0");
  Answer(first, "5");
  Answer(third, "0");
  Exchange();
  ASSERT_THAT(wire_.seen.exchanges, SizeIs(3));
  std::vector<std::string> codes;
  for (const auto& exchange : wire_.seen.exchanges) {
    EXPECT_EQ(exchange.version, "2");
    EXPECT_EQ(exchange.status, 200);
    codes.push_back(exchange.grpc_status);
  }
  EXPECT_THAT(codes, testing::UnorderedElementsAre("0", "5", "0"));
  EXPECT_THAT(wire_.seen.fallbacks, IsEmpty());
}

TEST_P(Http2Test, AResetStreamEndsItsExchange) {
  const std::int32_t stream = Request("/a");
  Exchange();
  nghttp2_submit_rst_stream(server_, NGHTTP2_FLAG_NONE, stream,
                            NGHTTP2_INTERNAL_ERROR);
  Exchange();
  ASSERT_THAT(wire_.seen.exchanges, SizeIs(1));
  EXPECT_THAT(wire_.seen.exchanges[0].problem, HasSubstr("reset"));
}

TEST_P(Http2Test, LongHeaderBlocksGoOnInContinuations) {
  const std::string path = "/" + std::string(40'000, 'p');
  Request(path.c_str());
  Exchange();
  ASSERT_THAT(got_.paths, SizeIs(1));
  EXPECT_EQ(got_.paths[0], path);
  EXPECT_THAT(got_.traceparents, SizeIs(1));
  EXPECT_THAT(wire_.seen.fallbacks, IsEmpty());
}

}  // namespace
}  // namespace assay::wires
