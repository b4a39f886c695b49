#include "services/git_http/body_spool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "tests/testing/event_loop.h"
#include "tests/testing/matchers.h"
#include "tests/testing/temporary_directory.h"

namespace assay::git_http {
namespace {

using testing::Await;
using testing::FailsWith;
using testing::IsOk;

// A request whose body comes in pieces of one size.
class FakeExchange final : public gateway::HttpExchange {
 public:
  FakeExchange(std::string body, std::string encoding, std::size_t piece = 7)
      : body_(std::move(body)), piece_(piece) {
    if (!encoding.empty())
      request_.fields.emplace_back("Content-Encoding", encoding);
  }

  const gateway::HttpRequest& request() const override { return request_; }
  gateway::Async<std::size_t> ReadSome(std::span<char> buffer) override {
    const std::size_t count =
        std::min({piece_, buffer.size(), body_.size() - read_});
    std::memcpy(buffer.data(), body_.data() + read_, count);
    read_ += count;
    co_return count;
  }
  gateway::Async<void> Respond(gateway::HttpResponse) override {
    co_return Status();
  }
  gateway::Async<void> StartResponse(int, gateway::HeaderFields) override {
    co_return Status();
  }
  gateway::Async<void> Write(std::string) override { co_return Status(); }
  gateway::Async<void> Finish() override { co_return Status(); }
  gateway::Async<void> WaitForClose() override { co_return Status(); }

  std::size_t read() const { return read_; }

 private:
  gateway::HttpRequest request_;
  const std::string body_;
  const std::size_t piece_;
  std::size_t read_ = 0;
};

std::string Gzip(const std::string& plain) {
  z_stream zlib = {};
  deflateInit2(&zlib, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zlib, plain.size()) + 64, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  zlib.avail_in = static_cast<uInt>(plain.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  deflate(&zlib, Z_FINISH);
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  return out;
}

class BodySpoolTest : public ::testing::Test {
 protected:
  Expected<std::unique_ptr<SpooledBody>> Spool(FakeExchange& exchange,
                                               std::int64_t limit = 1 << 20) {
    return Await(SpoolBody(exchange, directory_.path(), limit));
  }
  const testing::TemporaryDirectory directory_;
};

TEST_F(BodySpoolTest, KeepsABodyAndLeavesNoFile) {
  FakeExchange exchange("hello, spool", "");
  const auto body = Spool(exchange);
  ASSERT_THAT(body, IsOk());
  EXPECT_EQ((*body)->head(), "hello, spool");
  EXPECT_EQ((*body)->bytes(), 12);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(BodySpoolTest, UnpacksGzip) {
  const std::string plain(100'000, 'x');
  FakeExchange exchange(Gzip(plain), "gzip");
  const auto body = Spool(exchange);
  ASSERT_THAT(body, IsOk());
  EXPECT_EQ((*body)->bytes(), 100'000);
  EXPECT_EQ((*body)->head(), std::string(kSpoolHead, 'x'));
}

TEST_F(BodySpoolTest, StopsUnpackingABombAtTheLimit) {
  FakeExchange exchange(Gzip(std::string(50 << 20, '\0')), "gzip", 4096);
  const auto body = Spool(exchange, 1'000);
  ASSERT_THAT(body, IsOk());
  EXPECT_TRUE((*body)->too_large());
  EXPECT_EQ((*body)->bytes(), 1'000);
}

TEST_F(BodySpoolTest, LargeBodyIsReadToItsEndAndNotKept) {
  FakeExchange exchange(std::string(200'000, 'x'), "", 4096);
  const auto body = Spool(exchange, 1'000);
  ASSERT_THAT(body, IsOk());
  EXPECT_TRUE((*body)->too_large());
  EXPECT_EQ((*body)->bytes(), 1'000);
  EXPECT_EQ(exchange.read(), 200'000);
}

TEST_F(BodySpoolTest, FullDiskIsToldToAClientThatWasReadToItsEnd) {
  // The limit on files stands in for the disk: both cut a write short.
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1'000, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  FakeExchange exchange("0000" + std::string(200'000, 'x'), "", 4096);
  const auto body = Spool(exchange);
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_THAT(body, IsOk());
  EXPECT_TRUE((*body)->disk_full());
  EXPECT_TRUE((*body)->head().starts_with("0000x"));
  EXPECT_EQ(exchange.read(), 200'004);
}

TEST_F(BodySpoolTest, ExactlyTheLimitFits) {
  FakeExchange exchange(std::string(1'000, 'x'), "");
  EXPECT_FALSE((*Spool(exchange, 1'000))->too_large());
}

TEST_F(BodySpoolTest, RefusesBrokenGzipAndOtherEncodings) {
  const std::string good = Gzip("hello");
  for (const std::string& bad :
       {std::string("not gzip"), good.substr(0, good.size() - 3),
        good + "tail"}) {
    FakeExchange exchange(bad, "gzip");
    EXPECT_THAT(Spool(exchange), FailsWith(Code::kInvalidArgument));
  }
  FakeExchange brotli("x", "br");
  EXPECT_THAT(Spool(brotli), FailsWith(Code::kInvalidArgument));
}

}  // namespace
}  // namespace assay::git_http
