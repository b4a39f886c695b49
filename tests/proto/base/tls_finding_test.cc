#include "proto/base/tls_finding.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>

namespace assay {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Listens for one client, reads what it begins with, and says `answer`; then
// goes away, with a reset if `abruptly`.
class OneAnswer {
 public:
  OneAnswer(std::string answer, bool abruptly)
      : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}),
        thread_([this, answer = std::move(answer), abruptly] {
          tcp::socket client = acceptor_.accept();
          std::array<char, 5> head{};
          asio::read(client, asio::buffer(head));
          asio::write(client, asio::buffer(answer));
          if (abruptly) client.set_option(asio::socket_base::linger(true, 0));
        }) {}
  ~OneAnswer() { thread_.join(); }

  TlsFinding Found() {
    return LookAtTls(
        "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()), "");
  }

 private:
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

TEST(TlsFindingTest, WhoeverAnswersSomethingElseSpeaksNoTls) {
  OneAnswer other("HTTP/1.1 400 Bad Request\r\n\r\n", false);
  EXPECT_EQ(other.Found().kind, TlsFinding::Kind::kPlainText);
}

// A server that is killed meanwhile was once said to speak TLS.
TEST(TlsFindingTest, AResetSaysNothingAboutTls) {
  OneAnswer killed("", true);
  const TlsFinding found = killed.Found();
  EXPECT_EQ(found.kind, TlsFinding::Kind::kNoAnswer);
  EXPECT_EQ(found.problem, "");
}

}  // namespace
}  // namespace assay
