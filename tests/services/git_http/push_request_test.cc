#include "services/git_http/push_request.h"

#include <gtest/gtest.h>

#include "services/git_http/pkt_line.h"
#include "tests/testing/matchers.h"

namespace assay::git_http {
namespace {

using testing::FailsWith;
using testing::IsOk;

const std::string kOld(40, 'a'), kNew(40, 'b');

std::string Line(const std::string& ref) {
  return kOld + " " + kNew + " " + ref;
}

TEST(PushRequestTest, ReadsUpdatesAndCapabilities) {
  const std::string head =
      PacketOf(Line("refs/heads/main") +
               std::string("\0 report-status-v2 side-band-64k "
                           "object-format=sha1 agent=git/2.39",
                           66)) +
      PacketOf(kOld + " " + std::string(kNoCommit) + " refs/heads/b\n") +
      std::string(kFlush);
  const auto request = ParsePushRequest(head + "PACK....", true);
  ASSERT_THAT(request, IsOk());
  ASSERT_EQ(request->updates.size(), 2);
  EXPECT_EQ(request->updates[0].ref, "refs/heads/main");
  EXPECT_EQ(request->updates[0].new_commit, kNew);
  EXPECT_EQ(request->updates[1].new_commit, kNoCommit);
  EXPECT_TRUE(request->side_band);
  EXPECT_TRUE(request->report_status);
}

TEST(PushRequestTest, AFlushAloneIsAProbe) {
  EXPECT_TRUE(ParsePushRequest("0000", true)->is_probe());
}

TEST(PushRequestTest, RefusesWhatItCannotHonour) {
  const auto with = [](const std::string& line) {
    return ParsePushRequest(PacketOf(line) + "0000", true);
  };
  EXPECT_THAT(with(Line("refs/heads/main") + std::string("\0push-options", 13)),
              FailsWith(Code::kInvalidArgument, "push options"));
  EXPECT_THAT(
      with(Line("refs/heads/main") + std::string("\0object-format=sha256", 21)),
      FailsWith(Code::kInvalidArgument, "SHA-1"));
  EXPECT_THAT(with("push-cert"), FailsWith(Code::kInvalidArgument, "signed"));
  EXPECT_THAT(with("shallow all"),
              FailsWith(Code::kInvalidArgument, "shallow boundary"));
}

TEST(PushRequestTest, TakesTheBoundaryOfAShallowClone) {
  const auto request = ParsePushRequest(
      PacketOf("shallow " + kOld) + PacketOf(Line("refs/heads/main")) + "0000",
      true);
  ASSERT_THAT(request, IsOk());
  EXPECT_EQ(request->updates.size(), 1);
}

TEST(PushRequestTest, RefusesMalformedHeads) {
  for (const std::string& head :
       {std::string(), std::string("00"), std::string("PACK"),
        PacketOf(Line("refs/heads/main")), PacketOf("hello") + "0000",
        PacketOf(kOld + " " + kNew + " HEAD") + "0000",
        PacketOf(kOld + " " + kNew) + "0000",
        PacketOf(std::string(40, 'A') + " " + kNew + " refs/heads/a") + "0000",
        PacketOf(Line("refs/heads/a")) + "0001",
        PacketOf(Line("refs/heads/a")) +
            PacketOf(Line("refs/heads/b") + std::string("\0x", 2)) + "0000",
        // Git would read no capability of these, and say nothing.
        PacketOf(Line("refs/heads/a") +
                 std::string("\0x\0 report-status", 17)) +
            "0000"})
    EXPECT_THAT(ParsePushRequest(head, true), FailsWith(Code::kInvalidArgument))
        << head;
}

TEST(PushRequestTest, SaysWhichNameIsNone) {
  EXPECT_THAT(
      ParsePushRequest(PacketOf(Line("refs/heads/../x")) + "0000", true),
      FailsWith(Code::kInvalidArgument,
                "expected a ref's name like refs/heads/main, found "
                "\"refs/heads/../x\""));
}

TEST(PushRequestTest, MillionRefsAreRefusedEarly) {
  std::string head;
  for (int i = 0; i < 101; ++i)
    head += PacketOf(Line("refs/heads/" + std::to_string(i)));
  EXPECT_THAT(ParsePushRequest(head, false),
              FailsWith(Code::kResourceExhausted, "at most 100"));
  EXPECT_THAT(ParsePushRequest(
                  PacketOf(Line("refs/heads/" + std::string(200, 'x'))), false),
              FailsWith(Code::kResourceExhausted));
}

TEST(PushRequestTest, HeadOfManyBoundariesIsRefused) {
  std::string head;
  for (int i = 0; i < 1'300; ++i) head += PacketOf("shallow " + kOld);
  head += PacketOf(Line("refs/heads/main")) + "0000";
  EXPECT_THAT(ParsePushRequest(head, true),
              FailsWith(Code::kResourceExhausted, "takes more than 65536"));
}

TEST(PushRequestTest, RefNamesAreThoseThatGitTakes) {
  EXPECT_TRUE(IsRefName("refs/heads/main"));
  EXPECT_TRUE(IsRefName("refs/heads/feature/ü-1"));
  for (const std::string& name :
       {std::string("main"), std::string("refs/heads/../../config"),
        std::string("refs/heads/.hidden"), std::string("refs/heads//a"),
        std::string("refs/heads/a.lock"), std::string("refs/heads/a.lock/b"),
        std::string("refs/heads/a "), std::string("refs/heads/a~1"),
        std::string("refs/heads/a^"), std::string("refs/heads/a:b"),
        std::string("refs/heads/*"), std::string("refs/heads/a\\b"),
        std::string("refs/heads/@{0}"), std::string("refs/heads/"),
        std::string("refs/heads/a\x01"), std::string("refs/heads/a\x7f"),
        "refs/heads/" + std::string(300, 'a')})
    EXPECT_FALSE(IsRefName(name)) << name;
}

}  // namespace
}  // namespace assay::git_http
