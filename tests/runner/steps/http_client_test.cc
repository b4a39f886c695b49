// The client against services that answer as they should not.

#include "runner/steps/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "tests/runner/steps/scripted_server.h"

namespace assay::steps {
namespace {

namespace asio = boost::asio;
using Kind = HttpResult::Kind;
using testing::HasSubstr;
using testing::Pair;
using tests::ScriptedServer;

// A response with a length.
std::string Response(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class HttpClientTest : public testing::Test {
 protected:
  HttpResult Ask(HttpClient& client, HttpRequest request) {
    auto result = asio::co_spawn(io_, client.Perform(std::move(request)),
                                 asio::use_future);
    io_.restart();
    while (result.wait_for(std::chrono::seconds(0)) !=
           std::future_status::ready) {
      io_.run_one();
    }
    return result.get();
  }
  HttpResult AskOnce(ScriptedServer::Answer answer, HttpRequest request = {}) {
    ScriptedServer server(std::move(answer));
    HttpClient client(io_.get_executor(), network_, server.port());
    HttpResult result = Ask(client, std::move(request));
    return result;
  }

  wires::HostNetwork network_;
  asio::io_context io_;
};

TEST_F(HttpClientTest, SendsTheRequestAsItWasAskedFor) {
  std::string seen;
  HttpRequest request{.method = "PATCH",
                      .target = "/a%20b?x=1",
                      .headers = {{"x-one", "1"}, {"x-empty", ""}},
                      .body = "{}"};
  request.headers.emplace_back("content-type", "application/json");
  const HttpResult result = AskOnce(
      [&](const std::string& text, int fd) {
        seen = text;
        return ScriptedServer::Write(fd, Response("hi", "X-Two: a\r\n"));
      },
      request);
  EXPECT_EQ(result.kind, Kind::kAnswered) << result.problem;
  EXPECT_EQ(result.answer.status, 200);
  EXPECT_EQ(result.answer.body, "hi");
  EXPECT_THAT(result.answer.headers, testing::Contains(Pair("x-two", "a")));
  EXPECT_THAT(seen, testing::StartsWith("PATCH /a%20b?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-one: 1\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-empty:\r\n"));
  EXPECT_THAT(seen, HasSubstr("content-type: application/json\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\n\r\n{}"));
  EXPECT_THAT(seen, testing::Not(HasSubstr("Expect:")));
}

TEST_F(HttpClientTest, ReusesItsConnectionUntilItIsToldToDropIt) {
  ScriptedServer server([](const std::string&, int fd) {
    return ScriptedServer::Write(fd, Response("ok"));
  });
  HttpClient client(io_.get_executor(), network_, server.port());
  EXPECT_EQ(Ask(client, {}).kind, Kind::kAnswered);
  EXPECT_EQ(Ask(client, {}).kind, Kind::kAnswered);
  EXPECT_EQ(server.connections(), 1);
  client.DropConnections();
  EXPECT_EQ(Ask(client, {}).kind, Kind::kAnswered);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpClientTest, NobodyListeningIsRefused) {
  auto listening = network_.Listen(0);
  const std::uint16_t port = wires::PortOf(listening->get());
  listening->Reset();
  HttpClient client(io_.get_executor(), network_, port);
  EXPECT_EQ(Ask(client, {}).kind, Kind::kRefused);
}

TEST_F(HttpClientTest, AConnectionThatEndsInTheMiddleIsClosed) {
  const HttpResult nothing =
      AskOnce([](const std::string&, int) { return false; });
  EXPECT_EQ(nothing.kind, Kind::kClosed) << nothing.problem;
  const HttpResult half = AskOnce([](const std::string&, int fd) {
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
    return false;
  });
  EXPECT_EQ(half.kind, Kind::kClosed) << half.problem;
}

TEST_F(HttpClientTest, AnEndlessBodyEndsAtItsLimit) {
  const HttpResult result = AskOnce(
      [](const std::string&, int fd) {
        ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (ScriptedServer::Write(fd, std::string(65536, 'x'))) {
        }
        return false;
      },
      {.body_limit = 100'000});
  EXPECT_EQ(result.kind, Kind::kTooLarge);
  EXPECT_EQ(result.answer.body.size(), 100'000u);
  EXPECT_TRUE(result.answer.body_truncated);
  EXPECT_THAT(result.problem, HasSubstr("over 100000 bytes"));
}

TEST_F(HttpClientTest, ASlowBodyEndsAtTheTimeout) {
  // One byte and then nothing: the server waits until we hang up.
  const HttpResult result = AskOnce(
      [](const std::string&, int fd) {
        ScriptedServer::Write(fd,
                              "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na");
        char byte;
        return recv(fd, &byte, 1, 0) > 0;
      },
      {.timeout = std::chrono::milliseconds(100)});
  EXPECT_EQ(result.kind, Kind::kTimedOut);
  EXPECT_THAT(result.problem, HasSubstr("within 100 ms"));
}

TEST_F(HttpClientTest, AFloodOfHeadersIsCut) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\n");
    while (ScriptedServer::Write(
        fd, "X-Flood: " + std::string(1000, 'x') + "\r\n")) {
    }
    return false;
  });
  EXPECT_EQ(result.kind, Kind::kTooLarge) << result.problem;
  EXPECT_THAT(result.problem, HasSubstr("headers"));
}

TEST_F(HttpClientTest, OneHugeHeaderIsCut) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    ScriptedServer::Write(fd, "HTTP/1.1 200 OK\r\nX: ");
    while (ScriptedServer::Write(fd, std::string(65536, 'x'))) {
    }
    return false;
  });
  EXPECT_THAT(result.kind, testing::AnyOf(Kind::kTooLarge, Kind::kMalformed,
                                          Kind::kImpossible));
}

TEST_F(HttpClientTest, AFloodOfInterimAnswersIsCut) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    while (ScriptedServer::Write(fd, "HTTP/1.1 100 Continue\r\n\r\n")) {
    }
    return false;
  });
  EXPECT_EQ(result.kind, Kind::kTooLarge) << result.problem;
}

TEST_F(HttpClientTest, ABombOfGzipEndsAtItsLimit) {
  // 64 MiB of zeros, a thousand times smaller when compressed.
  const std::string path = testing::TempDir() + "bomb.gz";
  ASSERT_EQ(system(("head -c 67108864 /dev/zero | gzip -9 > " + path).c_str()),
            0);
  std::ifstream in(path, std::ios::binary);
  const std::string bomb((std::istreambuf_iterator<char>(in)), {});
  const HttpResult result = AskOnce(
      [&](const std::string&, int fd) {
        return ScriptedServer::Write(
            fd, Response(bomb, "Content-Encoding: gzip\r\n"));
      },
      {.headers = {{"accept-encoding", "gzip"}}, .body_limit = 1 << 20});
  EXPECT_EQ(result.kind, Kind::kTooLarge);
  EXPECT_EQ(result.answer.body.size(), 1u << 20);
}

TEST_F(HttpClientTest, WhatIsNotHttpIsMalformed) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    ScriptedServer::Write(fd, "220 smtp.example.test ESMTP\r\n");
    return false;
  });
  EXPECT_EQ(result.kind, Kind::kMalformed) << result.problem;
  const HttpResult smuggled = AskOnce([](const std::string&, int fd) {
    ScriptedServer::Write(fd,
                          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
                          "Content-Length: 2\r\n\r\nab");
    return false;
  });
  EXPECT_NE(smuggled.kind, Kind::kAnswered);
}

TEST_F(HttpClientTest, WhatFollowsAnAnswerIsNotTheNextOne) {
  // The service smuggles a second answer behind the first one.
  std::atomic<int> asked = 0;
  ScriptedServer server([&](const std::string&, int fd) {
    const int number = ++asked;
    return ScriptedServer::Write(
        fd, number == 1 ? Response("first") + Response("smuggled")
                        : Response("second"));
  });
  HttpClient client(io_.get_executor(), network_, server.port());
  EXPECT_EQ(Ask(client, {}).answer.body, "first");
  EXPECT_EQ(Ask(client, {}).answer.body, "second");
}

TEST_F(HttpClientTest, LengthAndChunksTogetherAreReadOnce) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    return ScriptedServer::Write(
        fd,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  });
  EXPECT_EQ(result.answer.body, "hello");
}

TEST_F(HttpClientTest, AFileOfTheSuiteIsUploadedWithItsName) {
  std::string seen;
  std::mutex mutex;
  ScriptedServer server([&](const std::string& request, int fd) {
    const std::lock_guard lock(mutex);
    seen += request;
    return ScriptedServer::Write(fd, Response("ok"));
  });
  HttpClient client(io_.get_executor(), network_, server.port());
  HttpRequest request{.method = "POST"};
  request.parts = {{"plain", "v"}, {"photo", "bytes", "cat.png"}};
  Ask(client, std::move(request));
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, HasSubstr("multipart/form-data; boundary="));
}

TEST_F(HttpClientTest, DigestAnswersTheChallenge) {
  std::string authorization;
  ScriptedServer server([&](const std::string& request, int fd) {
    const std::size_t at = request.find("Authorization: Digest");
    if (at == std::string::npos) {
      return ScriptedServer::Write(
          fd,
          "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest "
          "realm=\"r\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: "
          "0\r\n\r\n");
    }
    authorization = request.substr(at, request.find('\r', at) - at);
    return ScriptedServer::Write(fd, Response("in"));
  });
  HttpClient client(io_.get_executor(), network_, server.port());
  HttpRequest request;
  request.credentials = HttpRequest::Credentials{"alice", "secret", true};
  EXPECT_EQ(Ask(client, std::move(request)).answer.body, "in");
  EXPECT_THAT(authorization, HasSubstr("username=\"alice\""));
}

TEST_F(HttpClientTest, TimesAreToldApart) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return ScriptedServer::Write(fd, Response("late"));
  });
  EXPECT_LT(result.connect, std::chrono::milliseconds(30));
  EXPECT_GE(result.first_byte, std::chrono::milliseconds(30));
  EXPECT_GE(result.answer.duration, result.first_byte);
}

TEST_F(HttpClientTest, BrotliAndZstandardAreDecoded) {
  // "hello", stored.
  const std::string brotli("\x0b\x02\x80hello\x03", 9);
  const std::string zstd("\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello", 14);
  for (const auto& [name, body] :
       {std::pair{"br", brotli}, std::pair{"zstd", zstd}}) {
    const std::string encoding = name;
    const std::string bytes = body;
    const HttpResult result = AskOnce(
        [&](const std::string&, int fd) {
          return ScriptedServer::Write(
              fd, Response(bytes, "Content-Encoding: " + encoding + "\r\n"));
        },
        {.headers = {{"accept-encoding", "br, zstd"}}});
    EXPECT_EQ(result.answer.body, "hello") << encoding << result.problem;
  }
}

TEST_F(HttpClientTest, ARedirectIsReportedAndNotFollowed) {
  const HttpResult result = AskOnce([](const std::string&, int fd) {
    return ScriptedServer::Write(
        fd,
        "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\n"
        "Content-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(result.kind, Kind::kAnswered);
  EXPECT_EQ(result.answer.status, 302);
  EXPECT_EQ(result.redirect, "http://169.254.169.254/latest");
}

TEST_F(HttpClientTest, CookiesAreSharedByThoseWhoHoldTheJar) {
  std::string last;
  ScriptedServer server([&](const std::string& text, int fd) {
    last = text;
    return ScriptedServer::Write(
        fd, Response("", "Set-Cookie: sid=abc; HttpOnly; Path=/\r\n"));
  });
  HttpClient client(io_.get_executor(), network_, server.port());
  CookieJar jar;
  Ask(client, {.cookies = &jar});
  EXPECT_EQ(jar.Find("sid"), "abc");
  EXPECT_EQ(jar.Find("other"), std::nullopt);
  Ask(client, {.cookies = &jar});
  EXPECT_THAT(last, HasSubstr("Cookie: sid=abc\r\n"));
  Ask(client, {});
  EXPECT_THAT(last, testing::Not(HasSubstr("sid=abc")));
}

TEST_F(HttpClientTest, PreparedConnectionsAreOpenBeforeTheRequests) {
  constexpr int kAtOnce = 20;
  ScriptedServer server([](const std::string&, int fd) {
    return ScriptedServer::Write(fd, Response("ok"));
  });
  HttpClient client(io_.get_executor(), network_, server.port());
  auto open = asio::co_spawn(
      io_, client.PrepareConnections(kAtOnce, std::chrono::seconds(1)),
      asio::use_future);
  while (open.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    io_.run_one();
  }
  EXPECT_EQ(open.get(), kAtOnce);
  for (int i = 0; i < kAtOnce; ++i) {
    EXPECT_EQ(Ask(client, {.prepared_connection = true}).kind, Kind::kAnswered);
  }
  EXPECT_EQ(server.connections(), kAtOnce);
}

}  // namespace
}  // namespace assay::steps
