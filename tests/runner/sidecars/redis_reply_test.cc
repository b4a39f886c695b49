// Replies of Redis, as they come in pieces and as they should not be.

#include "runner/sidecars/redis_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace assay::sidecars {
namespace {

using nlohmann::json;

TEST(RedisReplyTest, BecomesJson) {
  const std::string bytes =
      "*5\r\n+OK\r\n:-7\r\n$3\r\na\xff"
      "b\r\n$-1\r\n*2\r\n$0\r\n\r\n-ERR inner\r\n";
  const auto reply = ReadRedisReply(bytes + "+next\r\n");
  ASSERT_TRUE(reply.has_value() && reply->has_value());
  EXPECT_EQ((*reply)->value, json::parse("[\"OK\",-7,\"a\xef\xbf\xbd"
                                         "b\",null,[\"\",\"ERR inner\"]]"));
  EXPECT_FALSE((*reply)->error.has_value());
  EXPECT_EQ((*reply)->size, bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto cut = ReadRedisReply(std::string_view(bytes).substr(0, i));
    EXPECT_TRUE(cut.has_value() && !cut->has_value()) << i;
  }
}

TEST(RedisReplyTest, ARefusalIsData) {
  const auto reply = ReadRedisReply("-WRONGTYPE no\r\n");
  EXPECT_EQ((*reply)->error, "WRONGTYPE no");
}

TEST(RedisReplyTest, WhatIsNoReplyIsRefusedWithinItsBounds) {
  for (const std::string bytes :
       {"?\r\n", "\r\n", ":x\r\n", "$-2\r\n", "$3\r\nabcd\r\n", "*x\r\n"}) {
    EXPECT_FALSE(ReadRedisReply(bytes).has_value()) << bytes;
  }
  EXPECT_FALSE(ReadRedisReply("$99999999999\r\n").has_value());
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "*1\r\n";
  EXPECT_FALSE(ReadRedisReply(deep).has_value());
  // A count alone takes no memory.
  const auto many = ReadRedisReply("*9999999999\r\n:1\r\n");
  EXPECT_TRUE(many.has_value() && !many->has_value());
}

TEST(RedisReplyTest, CommandsAreArraysOfBulks) {
  EXPECT_EQ(EncodeRedisCommand({"SET", "a b", ""}),
            "*3\r\n$3\r\nSET\r\n$3\r\na b\r\n$0\r\n\r\n");
}

}  // namespace
}  // namespace assay::sidecars
