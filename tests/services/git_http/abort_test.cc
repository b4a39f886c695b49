#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "services/git_http/pkt_line.h"
#include "tests/services/coordinator/server_fixture.h"
#include "tests/services/gateway/raw_http.h"
#include "tests/testing/base64.h"

// A client that leaves in the middle of a push: all of it happens, or nothing.

namespace assay::testing {
namespace {

using git_http::PacketOf;
using ::testing::IsEmpty;

class AbortTest : public ServerFixture {
 protected:
  AbortTest() {
    MakeAssignment();
    attempt_ = MakeAttempt();
    Clone(attempt_);
    base_ = Git("-C work rev-parse HEAD");
    commit_ = Commit("a", "1");
    std::ofstream(directory_.path() / "revs")
        << commit_ << "\n^" << base_ << "\n";
    Git("-C work pack-objects --revs --stdout -q < revs > pack");
    std::ifstream file(directory_.path() / "pack", std::ios::binary);
    body_ = PacketOf(base_ + " " + commit_ + " refs/heads/main" +
                     std::string("\0 report-status side-band-64k", 29)) +
            "0000" + std::string(std::istreambuf_iterator<char>(file), {});
  }

  std::string Head() const {
    return "POST /git/" + attempt_.repository +
           ".git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
           "Authorization: Basic " +
           Base64("x-token:" + attempt_.git_password) +
           "\r\nContent-Type: application/x-git-receive-pack-request\r\n"
           "Content-Length: " +
           std::to_string(body_.size()) + "\r\n\r\n";
  }

  std::string Tip() {
    return Git("-C " + RepositoryPath(attempt_).string() + " rev-parse main");
  }

  // Waits until the only push of the attempt has an end.
  v1::Push Settled() {
    for (;;) {
      const auto pushes = Pushes(attempt_);
      if (pushes.size() == 1 && pushes[0].state() != v1::Push::STATE_RECEIVED)
        return pushes[0];
      std::this_thread::yield();
    }
  }

  // Whether the body of a push is being read: into a file without a name, in
  // this process.
  static bool IsSpooling() {
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code closed;
      const auto file = std::filesystem::read_symlink(entry, closed).string();
      if (file.find("/spool/") != std::string::npos) return true;
    }
    return false;
  }

  StartedAttempt attempt_;
  std::string base_, commit_, body_;
};

TEST_F(AbortTest, BeforeTheLastByteNothingHasHappened) {
  const std::string whole = Head() + body_;
  for (const std::size_t sent :
       {std::size_t{10}, Head().size(), Head().size() + 30, whole.size() - 1}) {
    RawClient client(web_port());
    client.Send(whole.substr(0, sent));
    client.Close();
  }
  // A whole push behind them on the same strand: by then they were noticed.
  EXPECT_EQ(StatusOf(Exchange(web_port(),
                              "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                              "Connection: close\r\n\r\n")),
            200);
  EXPECT_EQ(Tip(), base_);
  EXPECT_THAT(Pushes(attempt_), IsEmpty());
}

// Of a push that was begun in time and is whole too late.
TEST_F(AbortTest, TheReceiveTimeIsThatOfTheLastByte) {
  const std::string whole = Head() + body_;
  RawClient client(web_port());
  client.Send(whole.substr(0, whole.size() - 1));
  while (!IsSpooling()) std::this_thread::yield();
  clock_.Advance(std::chrono::minutes(1));
  client.Send(whole.substr(whole.size() - 1));
  EXPECT_EQ(Settled().receive_time().seconds(),
            ManualClock::kStartMicros / 1'000'000 + 60);
}

// Whoever is told that it counts finds it there, however long the store takes.
TEST_F(AbortTest, TheAnswerComesAfterTheRow) {
  sqlite3* store = nullptr;
  ASSERT_EQ(sqlite3_open((directory_.path() / "data/store.db").c_str(), &store),
            SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(store,
                         "CREATE TRIGGER slow BEFORE UPDATE ON pushes BEGIN "
                         "SELECT (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL "
                         "SELECT n + 1 FROM c WHERE n < 300000) "
                         "SELECT MAX(n) FROM c); END",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(store);
  RawClient client(web_port());
  client.Send(Head() + body_);
  ASSERT_TRUE(client.ReadUntil("ok refs/heads/main"));
  EXPECT_EQ(Pushes(attempt_).at(0).state(), v1::Push::STATE_ACCEPTED);
}

TEST_F(AbortTest, AfterTheLastByteThePushIsTakenWithoutItsClient) {
  RawClient client(web_port());
  client.Send(Head() + body_);
  client.Close();
  const v1::Push push = Settled();
  EXPECT_EQ(push.state(), v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(push.new_commit(), commit_);
  EXPECT_NE(push.run(), "");
  EXPECT_EQ(Tip(), commit_);
}

TEST_F(AbortTest, ClientThatLeavesWhileItIsToldLosesNothing) {
  RawClient client(web_port());
  client.Send(Head() + body_);
  ASSERT_TRUE(client.ReadUntil("200 OK"));
  client.Close();
  EXPECT_EQ(Settled().state(), v1::Push::STATE_ACCEPTED);
  EXPECT_EQ(Tip(), commit_);
}

TEST_F(AbortTest, RepeatAfterALostAnswerChangesNothing) {
  RawClient client(web_port());
  client.Send(Head() + body_);
  client.Close();
  Settled();
  EXPECT_EQ(Git("-C work push origin HEAD:main"), "Everything up-to-date");
}

TEST_F(AbortTest, StopInTheMiddleLeavesAPushThatTheNextStartSettles) {
  RawClient client(web_port());
  client.Send(Head() + body_);
  Restart();
  const auto pushes = Pushes(attempt_);
  ASSERT_LE(pushes.size(), 1);
  // Whether or not it was heard, the two tell the same story.
  const bool moved = Tip() == commit_;
  EXPECT_EQ(moved, pushes.size() == 1 &&
                       pushes[0].state() == v1::Push::STATE_ACCEPTED);
}

}  // namespace
}  // namespace assay::testing
