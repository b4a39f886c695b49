#include "runner/wires/redis_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace assay::wires {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string Command(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return out;
}

class RedisSessionTest : public testing::TestWithParam<std::size_t> {
 protected:
  void Feed(std::string_view bytes, bool client) {
    for (; !bytes.empty();
         bytes.remove_prefix(std::min(GetParam(), bytes.size()))) {
      const Moment now{++clock_, 0};
      const std::string_view piece = bytes.substr(0, GetParam());
      client ? session_.OnClient(piece, now) : session_.OnServer(piece, now);
      for (RedisEvent& event : session_.TakeEvents()) Note(event);
    }
  }
  void Client(std::string_view bytes) { Feed(bytes, true); }
  void Server(std::string_view bytes) { Feed(bytes, false); }
  void Note(const RedisEvent& event) {
    if (const auto* command = std::get_if<RedisCommand>(&event)) {
      std::string text = command->name;
      for (const auto& argument : command->arguments) text += " " + argument;
      if (!command->error.empty()) text += " !" + command->error;
      if (command->reply_null) text += " null";
      if (command->unanswered) text += " unanswered";
      told_.push_back(text);
    } else if (const auto* message = std::get_if<RedisMessage>(&event)) {
      told_.push_back("message on " + message->channel);
    } else {
      told_.push_back("fell back: " + std::get<RedisFellBack>(event).reason);
    }
  }

  RedisSession session_;
  std::vector<std::string> told_;
  std::uint64_t clock_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Pieces, RedisSessionTest,
                         testing::Values(100'000, 3, 1));

TEST_P(RedisSessionTest, APipelineMeetsItsReplies) {
  Client(Command({"set", "k", "v"}) + Command({"GET", "none"}) +
         Command({"LPUSH", "k", "x"}) + Command({"MGET", "a", "b"}));
  Server("+OK\r\n$-1\r\n-WRONGTYPE Operation\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n");
  EXPECT_THAT(told_, ElementsAre("SET k v", "GET none null",
                                 "LPUSH k x !WRONGTYPE Operation", "MGET a b"));
}

TEST_P(RedisSessionTest, CommandsMayBeLines) {
  Client("PING\r\n\r\nget  key\r\n");
  Server("+PONG\r\n$3\r\nabc\r\n");
  EXPECT_THAT(told_, ElementsAre("PING", "GET key"));
}

TEST_P(RedisSessionTest, Resp3RepliesOfEveryTypeAreOneReplyEach) {
  Client(Command({"HELLO", "3"}) + Command({"A"}) + Command({"B"}) +
         Command({"C"}) + Command({"D"}) + Command({"E"}) + Command({"F"}));
  Server(
      "%2\r\n+server\r\n+redis\r\n+modules\r\n*0\r\n"
      "#t\r\n,1.5\r\n_\r\n~2\r\n:1\r\n:2\r\n=7\r\ntxt:abc\r\n!3\r\nERR\r\n");
  EXPECT_THAT(told_,
              ElementsAre("HELLO 3", "A", "B", "C null", "D", "E", "F !ERR"));
}

TEST_P(RedisSessionTest, MessagesToSubscribersAreNoReplies) {
  Client(Command({"SUBSCRIBE", "a", "b"}));
  Server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  EXPECT_THAT(told_, IsEmpty());
  Server(
      "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
      "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n");
  Client(Command({"UNSUBSCRIBE"}));
  Server(
      "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n"
      "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n");
  Client(Command({"PING"}));
  Server("+PONG\r\n");
  EXPECT_THAT(told_, ElementsAre("SUBSCRIBE a b", "message on a", "UNSUBSCRIBE",
                                 "PING"));
}

TEST_P(RedisSessionTest, Resp3PushesComeBetweenReplies) {
  Client(Command({"SUBSCRIBE", "a"}) + Command({"GET", "k"}));
  Server(
      ">3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n+message\r\n+a\r\n+hi\r\n"
      "$1\r\nv\r\n>2\r\n+invalidate\r\n*1\r\n+k\r\n");
  EXPECT_THAT(told_, ElementsAre("SUBSCRIBE a", "message on a", "GET k",
                                 "message on "));
}

TEST_P(RedisSessionTest, WhatCannotBeFollowedIsNamed) {
  Client(Command({"MONITOR"}));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("MONITOR")));
  EXPECT_TRUE(session_.fell_back());
}

TEST_P(RedisSessionTest, OtherProtocolsFallBack) {
  Client("*1\r\n+not a bulk string\r\n");
  Server("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_THAT(told_, ElementsAre(HasSubstr("the server does not speak")));
}

TEST_P(RedisSessionTest, DeepAndEndlessValuesAreBounded) {
  Client(Command({"GET", "k"}));
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "*1\r\n";
  Server(deep);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("fell back")));
}

TEST_P(RedisSessionTest, CommandsUnderWayEndWithTheConnection) {
  Client(Command({"BLPOP", "q", "0"}));
  session_.OnClose({1, 0});
  for (RedisEvent& event : session_.TakeEvents()) Note(event);
  EXPECT_THAT(told_, ElementsAre("BLPOP q 0 unanswered"));
}

}  // namespace
}  // namespace assay::wires
